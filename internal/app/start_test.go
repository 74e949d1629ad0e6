package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/report"
)

// What fails at the start says what to change, harms nothing that is there, and leaves
// nothing running (goleak) and nothing locked.
func TestAStartThatFails(t *testing.T) {
	c := newCluster(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, taken.Close()) }()
	other, seen := settings(t, c.URL)
	in := run(t, other, seen)
	defer func() { must(t, in.stop()) }()
	file := filepath.Join(t.TempDir(), "notes.txt")
	must(t, os.WriteFile(file, []byte("mine"), 0o600))

	for _, test := range []struct {
		name      string
		change    func(*config.Config)
		says      string
		untouched bool // no ledger is left behind
	}{
		{"address taken", func(c *config.Config) { c.Report.Listen = taken.Addr().String() }, "report.listen", true},
		{"socket is a file", func(c *config.Config) { c.Report.Socket = file }, "report.socket", false},
		{"socket of another K8Guard", func(c *config.Config) { c.Report.Socket = app.Socket(other.Config) }, "report.socket", false},
		{"socket's folder is missing", func(c *config.Config) { c.Report.Socket = file + "-none/x" }, "report.socket", false},
		{"data folder is a file", func(c *config.Config) { c.Data.Dir = file }, "data.dir", false},
		{"no kubeconfig", func(c *config.Config) { c.Cluster.Kubeconfig = file + "-none" }, "kubeconfig", true},
		{"no cluster", func(c *config.Config) { c.Cluster.Kubeconfig = "" }, "set cluster.kubeconfig", true},
		{"no kubeconfig of action", func(c *config.Config) { c.Cluster.ActionKubeconfig = file + "-none" }, "kubeconfig", true},
		{"unknown rule", func(c *config.Config) { c.Rules.Disabled = []string{"NONE_SUCH"} }, "NONE_SUCH", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, seen := settings(t, c.URL)
			broken := s
			test.change(&broken.Config)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			if err := app.Run(ctx, broken); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want a word on %s", err, test.says)
			}
			if _, err := os.Stat(s.Config.Data.Dir); test.untouched && !errors.Is(err, os.ErrNotExist) {
				t.Errorf("data.dir was made for a start that was refused: %v", err)
			}
			must(t, run(t, s, seen).stop())
		})
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "mine" {
		t.Errorf("a file that was there: %q, %v", text, err)
	}
	if code, text := ask(t, over(app.Socket(other.Config)), http.MethodGet, "http://localhost/healthz", ""); code != http.StatusOK {
		t.Errorf("another K8Guard's socket: %d %s", code, text)
	}
}

func TestASocketOfADeadProcessIsReplaced(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	must(t, os.MkdirAll(s.Config.Data.Dir, 0o700))
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: app.Socket(s.Config), Net: "unix"})
	must(t, err)
	l.SetUnlinkOnClose(false)
	must(t, l.Close())
	in := run(t, s, seen)
	if code, text := ask(t, over(app.Socket(s.Config)), http.MethodGet, "http://localhost/healthz", ""); code != http.StatusOK {
		t.Errorf("%d %s", code, text)
	}
	must(t, in.stop())
	if _, err := os.Stat(app.Socket(s.Config)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("after a stop the socket is still there: %v", err)
	}
}

// An open breaker stays open over a start, until a person with a reason closes it.
func TestTheBreakerIsClosedOverTheSocket(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	must(t, os.MkdirAll(s.Config.Data.Dir, 0o700))
	l, err := sqlite.Open(t.Context(), filepath.Join(s.Config.Data.Dir, app.LedgerFile), time.Now)
	must(t, err)
	must(t, control.New(l, time.Now).Trip(t.Context(), v1.Cluster{UID: "kube"}, "two undos in an hour"))
	must(t, l.Close())
	in := run(t, s, seen)
	socket := over(app.Socket(s.Config))
	for _, test := range []struct {
		body string
		code int
	}{{`{"by": "ada"}`, http.StatusConflict}, {`{"reason": "x"}`, http.StatusConflict}, {`{"by": "ada", "reason": "looked"}`, http.StatusOK}, {`{"by": "ada", "reason": "again"}`, http.StatusConflict}} {
		if code, text := ask(t, socket, http.MethodPost, "http://localhost/api/v1/breaker/close", test.body); code != test.code {
			t.Errorf("%s: %d %s, want %d", test.body, code, text, test.code)
		}
	}
	must(t, in.stop())
}

// One that is open for its ledger is closed only by who takes the ledger as it is.
func TestALedgerIsAcceptedOverTheSocket(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	must(t, os.MkdirAll(s.Config.Data.Dir, 0o700))
	l, err := sqlite.Open(t.Context(), filepath.Join(s.Config.Data.Dir, app.LedgerFile), time.Now)
	must(t, err)
	must(t, control.New(l, time.Now).TripLedger(t.Context(), v1.Cluster{UID: "kube", Name: "prod"}, "the ledger fell back", "x/9"))
	must(t, l.Close())
	in := run(t, s, seen)
	socket := over(app.Socket(s.Config))
	for _, test := range []struct {
		body string
		code int
		says string
	}{
		{`{"by": "ada", "reason": "looked"}`, http.StatusConflict, "--accept-ledger"},
		{`{"by": "ada", "reason": "looked", "acceptLedger": true, "scope": "cluster/prod"}`, http.StatusOK, "closed"},
		{`{"by": "ada", "reason": "looked", "acceptLedger": true}`, http.StatusConflict, "not open"},
	} {
		if code, text := ask(t, socket, http.MethodPost, "http://localhost/api/v1/breaker/close", test.body); code != test.code || !strings.Contains(text, test.says) {
			t.Errorf("%s: %d %s, want %d", test.body, code, text, test.code)
		}
	}
	must(t, in.stop())
}

// A scope that names nothing would stop nothing: it is refused, with the name that is meant.
func TestAFreezeNamesWhatIsThere(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	s.Config.Cluster.Name = "prod"
	in := run(t, s, seen)
	defer func() { must(t, in.stop()) }()
	for _, test := range []struct {
		path, scope string
		code        int
		says        string
	}{
		{"freeze", "rule/image_repo", http.StatusConflict, "did you mean rule/IMAGE_REPO?"},
		{"freeze", "rule/IMAGE_REPOO", http.StatusConflict, "did you mean rule/IMAGE_REPO? nothing was frozen"},
		{"freeze", "Cluster/prod", http.StatusBadRequest, "write global, cluster/NAME or rule/ID"},
		{"freeze", "rule/NONE_SUCH", http.StatusConflict, "IMAGE_REPO, "},
		{"freeze", "cluster/production", http.StatusConflict, "known is prod;"},
		{"unfreeze", "rule/image_repo", http.StatusConflict, "is not frozen; nothing is"},
		{"freeze", "cluster/prod", http.StatusOK, "cluster/prod frozen"},
		{"freeze", "rule/IMAGE_REPO", http.StatusOK, "rule/IMAGE_REPO frozen"},
		{"freeze", "global", http.StatusOK, "global frozen"},
		{"freeze", "rule/IMAGE_REPO", http.StatusOK, "by ada: for freeze; that stays, and your reason is in the log of switches"},
		{"unfreeze", "global", http.StatusOK, "global unfrozen"},
	} {
		code, text := post(t, in.url+"/api/v1/"+test.path, fmt.Sprintf(`{"scope": %q, "by": "ada", "reason": "for %s"}`, test.scope, test.path))
		if code != test.code || !strings.Contains(text, test.says) {
			t.Errorf("%s %s: %d %s", test.path, test.scope, code, text)
		}
	}
	var status report.Status
	_, text := ask(t, over(""), http.MethodGet, in.url+"/api/v1/status", "")
	must(t, json.Unmarshal([]byte(text), &status))
	if len(status.Freezes) != 2 || len(status.Switches) != 5 {
		t.Fatalf("%s", text)
	}
	if last := status.Switches[0]; last.What != control.EventUnfrozen || last.Scope != "global" || last.By != "ada" || last.Reason != "for unfreeze" {
		t.Errorf("%+v", last)
	}
}

func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	must(t, err)
	req.Header.Set("Content-Type", "application/json")
	resp, err := over("").Do(req)
	must(t, err)
	text, err := io.ReadAll(resp.Body)
	must(t, errors.Join(err, resp.Body.Close()))
	return resp.StatusCode, string(text)
}
