package services

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
	"github.com/k8guard/k8guard/tools/stage"
)

// A copy of Cassandra's files from before a wave was told of and acted on is put back. It would
// warn and act again; it does nothing and tells nobody until a person takes it as it is.
func TestAnOldLedgerIsPutBack(t *testing.T) {
	cassandra := servicestest.Start(t, services.Cassandra)
	h := newHouse(t, servicestest.Start(t, services.Kafka), cassandra, func(c *config.Config) { quick(c, 1) })
	v := newViolations(h)
	copied := filepath.Join(t.TempDir(), "old")

	all := h.open()
	v.wave()
	v.settle(2 * time.Minute)
	h.end(all)
	h.moved(cassandra, func(files string) error { return os.CopyFS(copied, os.DirFS(files)) })
	all = h.open()
	v.wave()
	v.settle(2 * time.Minute)
	time.Sleep(3 * time.Second) // the last mails of the acts
	h.end(all)
	acts, mails := v.stops(), len(h.Mail.Messages())
	if len(acts) != 2*perWave {
		t.Fatalf("%d stops in the audit log, want %d", len(acts), 2*perWave)
	}

	h.moved(cassandra, func(files string) error {
		if err := os.RemoveAll(files); err != nil {
			return err
		}
		return os.Rename(copied, files)
	})
	all = h.open()
	v.wave()
	h.until("the breaker opens", 2*time.Minute, func() bool { return h.logs("the circuit breaker opened") > 0 })
	time.Sleep(10 * time.Second) // longer than the ladder takes
	if n := len(v.stops()); n != len(acts) {
		t.Errorf("%d stops by a ledger in doubt", n-len(acts))
	}
	if n := len(h.Mail.Messages()); n != mails {
		t.Errorf("%d mails went out of a ledger in doubt", n-mails)
	}
	if out, err := h.Command(t.Context(), "breaker", "close", "--reason", "try"); err == nil {
		t.Errorf("the breaker is closed as any other: %s", out)
	}
	if out, err := h.Command(t.Context(), "breaker", "close", "--accept-ledger", "--reason", "looked at"); err != nil {
		t.Fatal(out, err)
	}
	h.until("the ladders go on", 2*time.Minute, func() bool { return len(v.stops()) >= 3*perWave })
	h.end(all)
	for uid, n := range v.stops() {
		if n != 1 {
			t.Errorf("%s was stopped %d times", v.roots[uid], n)
		}
	}
}

// open starts the services: two of discover, two of action, one report.
func (h *house) open() (all []*stage.Process) {
	h.t.Helper()
	for _, target := range []string{"discover", "discover", "action", "action", "report"} {
		all = append(all, h.start(target))
	}
	h.until("the report serves", 2*time.Minute, h.serves)
	return all
}

func (h *house) end(all []*stage.Process) {
	h.t.Helper()
	for _, p := range all {
		if err := p.Terminate(time.Minute); err != nil {
			h.t.Fatal(err)
		}
	}
}

// moved does something with the files of a server's first node while it is down.
func (h *house) moved(s *services.Service, do func(files string) error) {
	h.t.Helper()
	h.away(s)
	if err := do(filepath.Join(s.Dir(), "node-1", "data")); err != nil {
		h.t.Fatal(err)
	}
	h.back(s)
}

// stops counts, by the audit log, how often action's account stopped each workload, by its UID.
func (v *violations) stops() map[string]int {
	v.t.Helper()
	events, err := audit.Read(v.Cluster.AuditLog())
	if err != nil {
		v.t.Fatal(err)
	}
	all, err := judge.Stops(events, stage.ActionUser)
	if err != nil {
		v.t.Fatal(err)
	}
	return all
}
