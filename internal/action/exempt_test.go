package action

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger"
)

// In a dry run, and while the ledger is in doubt, lists have an exempt case as exempt. It is so
// until its exemption ends, and nobody is told and nothing done of it.
func TestAnExemptCaseIsListedAsSuch(t *testing.T) {
	for name, row := range map[string]struct {
		mode  string
		doubt bool
	}{"dry run": {config.ModeDryRun, false}, "in doubt": {config.ModeEnforce, true}, "both": {config.ModeDryRun, true}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(c *config.Config) {
				c.Exemptions = []config.Exemption{{Reason: "legacy", Expires: time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC), Match: config.Match{Namespaces: []string{"shop"}}}}
			})
			w.sees("a")
			w.pass(time.Hour)
			w.listed(ledger.StatusExempt)
			w.conf.Enforce.Mode = row.mode
			w.start()
			if row.doubt {
				w.doubts()
			}
			w.sees("a")
			w.pass(12 * time.Hour)
			w.listed(ledger.StatusExempt)
			w.pass(12 * time.Hour)
			w.listed(ledger.StatusOpen)
			if len(w.mail.sent) != 0 || len(w.gate.calls) != 0 {
				t.Errorf("%d mails and %d acts", len(w.mail.sent), len(w.gate.calls))
			}
		})
	}
}

// listed wants the one case in a filter's list, with the status, and counted as such.
func (w *world) listed(status string) {
	w.Helper()
	page, err := w.ledger.Cases(w.Context(), ledger.CaseQuery{Statuses: []string{status}})
	must(w, err)
	if len(page.Rows) != 1 || page.Rows[0].Status != status {
		w.Fatalf("%+v, want one %s", page.Rows, status)
	}
	sum, err := w.ledger.Overview(w.Context(), ledger.Part{})
	must(w, err)
	if sum.ByStatus[status] != 1 {
		w.Errorf("counted %v, want one %s", sum.ByStatus, status)
	}
}
