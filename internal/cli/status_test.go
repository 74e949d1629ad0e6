package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/report"
)

// One command shows what holds enforcement, and what is left.
func TestStatus(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	now := report.Status{Mode: "enforce", Enforcement: "on, for the policies that say enforce: true", Cluster: "prod", Permit: "given\x1b[2J",
		Breaker: report.Breaker{Open: true, At: at, Reason: "2 undos within an hour"}, WatchAge: 4 * time.Second,
		Freezes: []report.Freeze{{Scope: "rule/IMAGE_REPO", By: "ada", Reason: "registry moves", At: at, Pending: true}},
		Budget:  report.Budget{PerHour: 5, UsedHour: 1, PerDay: 20, UsedDay: 3, PerNamespace: 3, PerOwner: 4, PerRule: 6, LastRound: "1 wanted", LastAt: at}}
	socket := running(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/api/v1/status" || r.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("asked %s, %v", r.URL, r.Header)
		}
		_ = json.NewEncoder(w).Encode(now)
	})
	text := func(args ...string) string {
		t.Helper()
		out, _, err := with(t, nil, append([]string{"status", "--set", "report.socket=" + socket}, args...)...)
		if err != nil || strings.Contains(out, "\x1b") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		return out
	}
	want := `cluster  prod
mode     enforce; enforcement is on, for the policies that say enforce: true
permit   given\x1b[2J
breaker  OPEN since 2026-01-02T03:04:05Z (2 undos within an hour): nothing is acted on until a person says: k8guard breaker close --reason "..."
freeze   rule/IMAGE_REPO, since 2026-01-02T03:04:05Z by ada: registry moves; pending: what had begun is not over
budget   1 of 5 acts used in this hour, 3 of 20 in a day
         in a day at most 3 in one namespace, 4 of one owner, 6 by one rule
         last round, 2026-01-02T03:04:05Z: 1 wanted
watch    fresh; the quietest kind was last heard 4s ago
`
	if got := text(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	var read report.Status
	if err := json.Unmarshal([]byte(text("-o", "json")), &read); err != nil || read.Budget.PerRule != 6 {
		t.Errorf("%v, %+v", err, read)
	}
	// A reason that has its own way out is followed by no other.
	now.Breaker.Reason = `the ledger fell back; then: k8guard breaker close --accept-ledger --reason "..."`
	if got := text(); strings.Count(got, "k8guard breaker close") != 1 {
		t.Errorf("got\n%s", got)
	}
	now.Breaker = report.Breaker{Reason: "the ledger fell back", At: at, ClosedBy: "ada: restored", ClosedAt: at.Add(time.Hour)}
	if got := text(); !strings.Contains(got, "breaker  closed at 2026-01-02T04:04:05Z by ada: restored; it was open from 2026-01-02T03:04:05Z (the ledger fell back)\n") {
		t.Errorf("got\n%s", got)
	}
	now = report.Status{Mode: "report only", Cluster: "prod", Stale: true, WatchAge: time.Minute, Refused: "k8guard.yaml:1: no",
		Breaker: report.Breaker{Reason: "a drill", At: at}, Clusters: []report.Cluster{{Name: "east", Stale: "silent", Since: at}, {Name: "west", Breaker: report.Breaker{Open: true}}}}
	got := text()
	for _, want := range []string{"of cluster east: closed\n", "of cluster west: OPEN", "close --cluster west", "freeze   none\n", "budget   not known here\n", "STALE: the cluster was last heard 1m0s ago",
		"audit    of cluster east: silent, since 2026-01-02T03:04:05Z", "config   the newest was not taken over"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if _, _, err := with(t, nil, "status", "-o", "yaml"); Code(err) != ExitFailure {
		t.Error(err)
	}
}
