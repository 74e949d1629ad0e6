package faults

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

const back = "update deployments/scale web"

// restored: a backup from before an act, its undo and two warnings is put back. The ledger would
// act a second time and warn beyond the cap; it tells nobody and does nothing until a person
// takes it as it is. Then its ladders go on from where they stood.
func restored(t *testing.T, p plane) {
	h := newHouse(t, p, "restored", func(c *config.Config) { c.Policies[0].Ladder.LastWait = 15 * time.Second })
	told := h.ns + "-told" // warned of only
	h.namespace(told, h.owner)
	h.start()
	h.apply(privileged(h.ns, "web"))
	h.until(30*time.Second, "two warnings are confirmed", func() bool { return h.confirmed() == warnings })
	h.end()
	backup := h.backUp()
	h.wantActs()
	h.start()
	h.apply(privileged(told, "tool"))
	h.acted(60*time.Second, acted)
	h.until(10*time.Second, "the case is acted", func() bool { return len(h.rows("web")) == 1 && h.rows("web")[0].Status == "acted" })
	id := h.rows("web")[0].ID
	if out, err := h.Command(t.Context(), "undo", id, "--reason", "the team asks"); err != nil {
		t.Fatal(out, err)
	}
	// Two warnings of each, one mail of the act, one of the undo; digests may join some.
	h.until(30*time.Second, "all is told", func() bool { return h.sent("warning", "/tool") == warnings && h.sent("undone", "/web") == 1 })
	h.end()
	h.wantActs(acted, back)
	mails := h.mails()

	h.restore(backup)
	h.start()
	h.apply(privileged(told, "late"))
	time.Sleep(6 * time.Second) // longer than the ladder would take
	h.wantActs(acted, back)
	if n := h.mails(); n != mails {
		t.Errorf("%d mails went out of a ledger in doubt", n-mails)
	}
	said := h.log(20*time.Second, "the circuit breaker opened")
	plan := h.planned(20*time.Second, "web", "restored")
	out, err := h.Command(t.Context(), "breaker", "close", "--reason", "try")
	if err == nil {
		t.Fatalf("the breaker is closed as any other: %s", out)
	}
	_, refusal, _ := strings.Cut(err.Error(), "exit status 2: ")
	h.golden("restored", "log: "+said, "plan: "+plan, "close: "+refusal, "overview: "+h.breaker())
	h.wantActs(acted, back)
	if out, err := h.Command(t.Context(), "breaker", "close", "--cluster", "stage", "--accept-ledger", "--reason", "looked at"); err != nil {
		t.Fatal(out, err)
	}
	h.until(60*time.Second, "the ladders go on", func() bool { return len(h.acts()) == 3 && h.sent("warning", "/late") == warnings })
	// The cap counts in each ledger: the tool is warned of again, by the one that does not know it.
	if n := h.sent("warning", "/tool"); n > warnings+tries {
		t.Errorf("%d warnings of the tool", n)
	}
	// Taken once, it is in order, over a restart too.
	h.end()
	h.start()
	time.Sleep(3 * time.Second) // a look more
	if why := h.breaker(); why != "" {
		t.Error(why)
	}
}

// backUp copies the ledger of a K8Guard that was stopped: its one file is all of it then.
func (h *house) backUp() string {
	h.t.Helper()
	if _, err := os.Stat(h.LedgerFile() + "-wal"); err == nil {
		h.t.Fatal("stopped, and the ledger has a write-ahead log")
	}
	text, err := os.ReadFile(h.LedgerFile())
	if err != nil {
		h.t.Fatal(err)
	}
	to := filepath.Join(h.dir, "backup.db")
	if err := os.WriteFile(to, text, 0o600); err != nil {
		h.t.Fatal(err)
	}
	return to
}

func (h *house) restore(backup string) {
	h.t.Helper()
	if err := os.Rename(backup, h.LedgerFile()); err != nil {
		h.t.Fatal(err)
	}
}

// sent counts the mails to our owner that say it in the subject and name the object.
func (h *house) sent(subject, object string) (n int) {
	for _, m := range h.Mail.Messages() {
		if slices.ContainsFunc(m.Rcpts, func(to string) bool { return strings.Contains(to, h.owner) }) &&
			strings.Contains(m.Subject, subject) && strings.Contains(m.Text, object) {
			n++
		}
	}
	return n
}

// breaker is what the overview says of it.
func (h *house) breaker() (reason string) {
	h.t.Helper()
	var status struct {
		Breaker struct {
			Open   bool
			Reason string
		}
	}
	if err := h.Get(h.t.Context(), "/api/v1/status", &status); err != nil {
		h.t.Fatal(err)
	}
	if status.Breaker.Open {
		reason = status.Breaker.Reason
	}
	return reason
}
