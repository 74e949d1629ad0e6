package servicestest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// recorder is a test that ends without ending the real one.
type recorder struct {
	testing.TB
	skipped, failed string
}

func (r *recorder) Skipf(format string, args ...any) {
	r.skipped = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) {
	r.failed = fmt.Sprint(args...)
	runtime.Goexit()
}

// withoutPrograms starts a service on a machine that has none.
func withoutPrograms(t *testing.T, kind services.Kind) *recorder {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("JAVA_HOME", "")
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	r := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		servicestest.Start(r, kind)
	}()
	<-done
	return r
}

func TestAMissingProgramIsSaidAndCounted(t *testing.T) {
	if testing.Short() {
		t.Skip("the helper skips for that reason alone: left out under -short")
	}
	for kind, want := range map[services.Kind][]string{
		services.Kafka:     {"java is missing", "default-jre-headless", "mvn"},
		services.Cassandra: {"java is missing", "default-jre-headless", "mvn"},
		services.Memcached: {"memcached is missing", "Debian: memcached"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			count := filepath.Join(t.TempDir(), "left-out")
			t.Setenv("K8GUARD_LEFT_OUT", count)
			t.Setenv("CI", "")
			r := withoutPrograms(t, kind)
			text, err := os.ReadFile(count)
			if err != nil {
				t.Fatal(err)
			}
			if r.failed != "" || strings.Count(string(text), "\n") != 1 || !strings.Contains(string(text), t.Name()) {
				t.Errorf("failed %q, counted %q", r.failed, text)
			}
			for _, part := range want {
				if !strings.Contains(r.skipped, part) || !strings.Contains(string(text), part) {
					t.Errorf("%q is not in %q and %q", part, r.skipped, text)
				}
			}
			t.Setenv("CI", "true")
			if r := withoutPrograms(t, kind); r.skipped != "" || !strings.Contains(r.failed, want[0]) {
				t.Errorf("on CI: skipped %q, failed %q", r.skipped, r.failed)
			}
		})
	}
}
