package post

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func client(t *testing.T, ca string) *Client {
	t.Helper()
	c, err := New("notify.x.caFile", ca, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func try(t *testing.T, c *Client, url string) notify.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Send(r); err != nil {
		return OutcomeOf(err)
	}
	return notify.Outcome{State: notify.Confirmed}
}

// Before the connection stands nothing is sent; after, nobody knows.
func TestWhatIsKnownOfABrokenLine(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + closed.Addr().String()
	_ = closed.Close()
	raw, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	go func() {
		for {
			conn, err := raw.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte("220 a mail server\r\n"))
			_ = conn.Close()
		}
	}()
	for url, want := range map[string]notify.OutcomeState{nobody: notify.Failed, "https" + strings.TrimPrefix(nobody, "http"): notify.Failed,
		"http://" + raw.Addr().String(): notify.Unknown, "https://" + raw.Addr().String(): notify.Failed} {
		if out := try(t, client(t, ""), url+"/secret-path"); out.State != want || out.Detail == "" || strings.Contains(out.Detail, "secret-path") || strings.Contains(out.Detail, "127.0.0.1") {
			t.Errorf("%s: %+v, want %s", url, out, want)
		}
	}
}

func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 {
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer s.Close()
	s.Config.ErrorLog = nil
	if out := try(t, client(t, ""), s.URL); out.State != notify.Failed || !strings.Contains(out.Detail, "unknown authority") {
		t.Errorf("without its authority: %+v", out)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := try(t, client(t, file), s.URL); out.State != notify.Confirmed {
		t.Errorf("with it: %+v", out)
	}
	if out := try(t, client(t, file), strings.Replace(s.URL, "127.0.0.1", "localhost", 1)); out.State != notify.Failed || !strings.Contains(out.Detail, "of another host") {
		t.Errorf("by a name that is not in it: %+v", out)
	}
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	defer old.Close()
	if out := try(t, client(t, file), old.URL); out.State != notify.Failed {
		t.Errorf("TLS 1.1: %+v", out)
	}
}

func TestNewRefuses(t *testing.T) {
	for file, says := range map[string]string{"/nonexistent/ca.pem": "notify.x.caFile", "post.go": "holds no certificate"} {
		if _, err := New("notify.x.caFile", file, time.Now); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func TestSecret(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	for text, says := range map[string]string{"": "tokenFile is empty", "a b": "holds a space", "a\r\nX: y": "holds a space", "ä": "holds a space"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := NewSecret("notify.x.token", config.Secret{}, file)(); err == nil || !strings.Contains(err.Error(), says) || text != "" && strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if got, err := NewSecret("notify.x.token", config.NewSecret("abc"), "")(); got != "abc" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if shown := fmt.Sprintf("%+v %#v", NewSecret("k", config.NewSecret("abc"), ""), struct{ s Secret }{NewSecret("k", config.NewSecret("abc"), "")}); strings.Contains(shown, "abc") {
		t.Error(shown)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-1": 0, "7.5": 0, "1e3": 0,
		"86401": 24 * time.Hour, "9223372036854775807": 24 * time.Hour, "99999999999999999999999": 0,
		"Tue, 24 Nov 2026 10:02:00 GMT": 2 * time.Minute, "Tuesday, 24-Nov-26 10:02:00 GMT": 2 * time.Minute,
		"Tue, 24 Nov 2026 09:00:00 GMT": 0, "Tue, 24 Nov 2099 10:00:00 GMT": 24 * time.Hour} {
		if got := RetryAfter(value, now); got != want {
			t.Errorf("%q: %s, want %s", value, got, want)
		}
	}
}

func TestIDsDiffer(t *testing.T) {
	seen := map[string]string{}
	same := notify.Digest{ID: "notice/slack/a@b.example/1", Cluster: "east", At: time.Unix(1, 0)}
	for name, change := range map[string]func(*notify.Digest){"itself": func(*notify.Digest) {}, "the next": func(d *notify.Digest) { d.ID = "notice/slack/a@b.example/2" },
		"no key": func(d *notify.Digest) { d.ID = "" }, "a hostile key": func(d *notify.Digest) { d.ID = "\r\nX: y" },
		// The first notice of a new ledger, and of another cluster's K8Guard, has the same key.
		"a new ledger's": func(d *notify.Digest) { d.At = d.At.Add(1) }, "another cluster's": func(d *notify.Digest) { d.Cluster = "west" }} {
		d := same
		change(&d)
		id := ID(d)
		if other, twice := seen[id]; twice || !regexp.MustCompile(`^notice-[0-9a-f]{32}$`).MatchString(id) {
			t.Errorf("%s and %s are %q", name, other, id)
		}
		seen[id] = name
	}
	if same.At = same.At.UTC(); seen[ID(same)] != "itself" {
		t.Error("a notice that was kept and is tried again has another name")
	}
}

func FuzzRetryAfter(f *testing.F) {
	f.Add("7")
	f.Add("Tue, 24 Nov 2026 10:02:00 GMT")
	f.Fuzz(func(t *testing.T, value string) {
		if got := RetryAfter(value, time.Now()); got < 0 || got > notify.MaxPause {
			t.Errorf("%q: %s", value, got)
		}
	})
}
