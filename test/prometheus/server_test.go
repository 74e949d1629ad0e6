// Package prometheus lets a real Prometheus scrape K8Guard's targets on a real control plane,
// and asks it every question that the dashboards and alerts ask.
//
// Purpose: a panel that shows nothing, an alert that never fires, or a name that Prometheus
// does not take is found here.
//
// Concurrency: the test has a stage and servers of its own, on loopback, in folders of its own.
//
// Guarantees: the programs are Debian's, or those on the PATH. Without them the test is left
// out and counted; where CI is true, it fails. What it started is gone when it ends.
//
// It will not: run under -short, or draw a picture: Grafana is not to be had.
package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/tools/daemon"
)

// program finds one of Debian's, or leaves the test out.
func program(t *testing.T, name string) string {
	t.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		must(t, err)
		cache = filepath.Join(home, ".cache")
	}
	path := filepath.Join(cache, "k8guard", "prometheus", "usr", "bin", name)
	if _, err := os.Stat(path); err != nil {
		leaveOut(t, fmt.Sprintf("%s is missing; run sh tools/prometheus.sh on Debian, or put it on the PATH", name))
	}
	return path
}

// leaveOut skips the test where a person develops, and fails it where all must be there.
func leaveOut(t *testing.T, why string) {
	t.Helper()
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
		t.Fatal(why)
	}
	if name := os.Getenv("K8GUARD_LEFT_OUT"); name != "" {
		file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		must(t, err)
		_, err = fmt.Fprintf(file, "%s: %s\n", t.Name(), why)
		must(t, errors.Join(err, file.Close()))
	}
	t.Skipf("LEFT OUT: %s", why)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// server is a Prometheus.
type server struct{ url string }

// start runs one over a configuration until the test ends.
func start(t *testing.T, config string, flags ...string) *server {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "prometheus.yml")
	must(t, os.WriteFile(file, []byte(config), 0o600))
	address := free(t)
	cmd := exec.Command(program(t, "prometheus"), append([]string{"--config.file=" + file, "--storage.tsdb.path=" + filepath.Join(dir, "data"),
		"--web.listen-address=" + address, "--log.level=warn"}, flags...)...)
	cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = t.Output(), t.Output(), &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed
	})
	s := &server{"http://" + address}
	eventually(t, "Prometheus is ready", func() error {
		resp, err := http.Get(s.url + "/-/ready")
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		if resp.StatusCode != http.StatusOK {
			return errors.New(resp.Status)
		}
		return nil
	})
	return s
}

// free is an address on loopback that is ours, and at which nobody listens yet.
func free(t *testing.T) string {
	t.Helper()
	ports, err := daemon.FreePorts(1)
	must(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
}

// eventually tries for two minutes.
func eventually(t *testing.T, what string, try func() error) {
	t.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// sample is one row of an answer.
type sample struct {
	Metric    map[string]string
	Value     [2]any
	Histogram []any
}

func (s sample) String() string {
	var labels []string
	for name, value := range s.Metric {
		if name != "__name__" && name != "job" && name != "instance" {
			labels = append(labels, name+"="+value)
		}
	}
	slices.Sort(labels)
	return fmt.Sprintf("%v {%s}", s.Value[1], strings.Join(labels, " "))
}

// get asks the API and decodes what is below "data".
func (s *server) get(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+path, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	answer := struct {
		Status, Error string
		Data          any
	}{Data: into}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return err
	}
	if answer.Status != "success" {
		return fmt.Errorf("%s: %s", path, answer.Error)
	}
	return nil
}

// query asks for the value of an expression now.
func (s *server) query(ctx context.Context, expr string) ([]sample, error) {
	var answer struct{ Result []sample }
	err := s.get(ctx, "/api/v1/query?query="+url.QueryEscape(expr), &answer)
	return answer.Result, err
}
