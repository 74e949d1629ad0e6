package app_test

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// Who stops or allows every act, and why, is in the log of the process that does it.
func TestSwitchesAreLogged(t *testing.T) {
	s, seen := settings(t, newCluster(t).URL)
	log := &record{}
	seen.Handler = slog.NewJSONHandler(log, nil)
	s.Config.Cluster.Name = "prod"
	must(t, os.MkdirAll(s.Config.Data.Dir, 0o700))
	l, err := sqlite.Open(t.Context(), filepath.Join(s.Config.Data.Dir, app.LedgerFile), time.Now)
	must(t, err)
	must(t, control.New(l, time.Now).Trip(t.Context(), v1.Cluster{Name: "prod", UID: "cluster-uid"}, "two undos in an hour"))
	must(t, l.Close())
	in := run(t, s, seen)
	socket := over(app.Socket(s.Config))
	for _, path := range []string{"freeze", "unfreeze"} {
		if code, text := post(t, in.url+"/api/v1/"+path, `{"scope": "rule/IMAGE_REPO", "by": "ada", "reason": "for `+path+`"}`); code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, code, text)
		}
	}
	if code, text := ask(t, socket, http.MethodPost, "http://localhost/api/v1/breaker/close", `{"by": "ada", "reason": "for close"}`); code != http.StatusOK {
		t.Fatalf("%d %s", code, text)
	}
	must(t, in.stop())
	for message, want := range map[string]map[string]string{
		"enforcement is frozen":         {"cluster": "prod", "scope": "rule/IMAGE_REPO", "by": "ada", "reason": "for freeze"},
		"a freeze is lifted":            {"cluster": "prod", "scope": "rule/IMAGE_REPO", "by": "ada", "reason": "for unfreeze"},
		"the circuit breaker is closed": {"cluster": "prod", "by": "ada", "reason": "for close"},
	} {
		line := logged(t, log.String(), message)
		for key, value := range want {
			if line[key] != value {
				t.Errorf("%s: %s is %v, want %q", message, key, line[key], value)
			}
		}
	}
}

// The socket that the log names is found from any folder, also where data.dir is relative.
func TestTheLogNamesTheSocketInFull(t *testing.T) {
	s, seen := settings(t, newCluster(t).URL)
	log := &record{}
	seen.Handler = slog.NewJSONHandler(log, nil)
	here := filepath.Dir(s.Config.Data.Dir)
	t.Chdir(here)
	s.Config.Data.Dir = "data"
	must(t, run(t, s, seen).stop())
	if got := logged(t, log.String(), "K8Guard runs")["socket"]; got != filepath.Join(here, "data", "k8guard.sock") {
		t.Errorf("the log names the socket %v", got)
	}
}

// logged returns the one line of a JSON log that says it.
func logged(t *testing.T, log, message string) map[string]any {
	t.Helper()
	var found map[string]any
	for text := range strings.Lines(log) {
		var line map[string]any
		must(t, json.Unmarshal([]byte(text), &line))
		if line["msg"] != message {
			continue
		}
		if found != nil {
			t.Errorf("%q is said twice", message)
		}
		found = line
	}
	if found == nil {
		t.Fatalf("%q is not in the log:\n%s", message, log)
	}
	return found
}
