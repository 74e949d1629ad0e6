package action

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
)

// mail is a channel that answers as its script says, and then takes everything.
type mail struct {
	w      *world
	mu     sync.Mutex
	script []notify.OutcomeState
	sent   []sent // every try
}

type sent struct {
	at     time.Time
	digest notify.Digest
	state  notify.OutcomeState
}

func (m *mail) Name() string { return "email" }

func (m *mail) Send(_ context.Context, d notify.Digest) notify.Outcome {
	m.mu.Lock()
	defer m.mu.Unlock()
	state := notify.Confirmed
	if len(m.script) > 0 {
		state, m.script = m.script[0], m.script[1:]
	}
	m.sent = append(m.sent, sent{m.w.now(), d, state})
	if state != notify.Confirmed {
		return notify.Outcome{State: state, Detail: "scripted"}
	}
	return notify.Outcome{State: state, Accepted: d.To}
}

// tries returns what was tried for a purpose.
func (m *mail) tries(p docket.Purpose) []sent {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []sent
	for _, s := range m.sent {
		for _, i := range s.digest.Items {
			if i.Purpose == string(p) {
				out = append(out, s)
				break
			}
		}
	}
	return out
}

// gate is an enforcer without a cluster: it keeps the ledger's books as the real one does,
// and watches that nobody asks it too early.
type gate struct {
	w       *world
	mu      sync.Mutex
	calls   []call
	settled []docket.Key
	hold    chan struct{} // not nil: an act waits for it
	alias   func(begun bool)
	behind  error // what a look at the cluster finds of the ledger
	checks  int
}

type call struct {
	at    time.Time
	key   docket.Key
	cases []string
	over  string
}

func (g *gate) Enforce(ctx context.Context, key docket.Key, cases []string, pol config.Policy) error {
	w := g.w
	_, _, over, err := w.engine.Control.Ask(ctx, key.Cluster, key.String())
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.calls = append(g.calls, call{w.now(), key, cases, over})
	g.mu.Unlock()
	if g.hold != nil {
		<-g.hold
	}
	_, err = ledger.Update(ctx, w.ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		for _, id := range cases {
			if n, _ := d.Find(id).Count(w.engine.ownerOf(d, d.Find(id).Rule).Key()); n < pol.Ladder.Warnings {
				w.Errorf("the gate was asked for %s with %d confirmed warnings of %d", id, n, pol.Ladder.Warnings)
			}
		}
		e := docket.Enforcement{ID: "e-" + key.Root, Action: docket.ScaleToZero, Target: d.Root, Cases: cases, Holder: w.engine.Holder, IntentAt: w.now()}
		if d.Root.Kind == "Ingress" {
			e.Action = docket.DeleteIngress
		}
		next, entries, err := docket.Intend(d, e)
		if err != nil {
			w.Errorf("a second act: %v", err)
			return d, nil, false, err
		}
		var more []docket.Entry
		if over != "" {
			next, more = docket.Refuse(next, docket.Refusal{Rule: 9, Text: over, Human: true, At: w.now(), Until: w.now().Add(time.Hour),
				Budget: control.NameOf(w.conf.Enforce.Budget)})
		} else {
			next, more = docket.Did(next, "2", "", w.now())
		}
		return next, append(entries, more...), true, nil
	})
	if err != nil || over != "" {
		return fmt.Errorf("refused %q: %w", over, w.engine.Control.GiveBack(ctx, key.Cluster, key.String()))
	}
	return w.engine.Control.Spend(ctx, key.Cluster, key.String())
}

func (g *gate) CheckLedger(context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.checks++
	return g.behind
}

func (g *gate) Mark(_ context.Context, d docket.Docket, action string, cases []string, at time.Time) {
	g.w.marks.Add(int32(len(cases)))
	g.w.Logf("marked: %s %s at %s", d.Root, action, at)
}

func (g *gate) Settle(ctx context.Context, key docket.Key) error {
	g.mu.Lock()
	g.settled = append(g.settled, key)
	g.mu.Unlock()
	_, err := ledger.Update(ctx, g.w.ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries := docket.Did(d, "2", "seen after a restart", g.w.now())
		if d.Enforcement.State == docket.Undoing {
			next, entries = docket.Restored(d, "", "", time.Hour, g.w.now())
		}
		return next, entries, true, nil
	})
	return err
}

// Undo brings a root back; an ingress under the UID "restored".
func (g *gate) Undo(ctx context.Context, key docket.Key, asked docket.Undo) (string, error) {
	asked.At = g.w.now()
	_, err := ledger.Update(ctx, g.w.ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries, err := docket.BeginUndo(d, asked)
		return next, entries, err == nil, err
	})
	if err != nil {
		return "", err
	}
	uid := ""
	if g.alias != nil {
		uid = "restored"
		g.alias(true)
	}
	_, err = ledger.Update(ctx, g.w.ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries := docket.Restored(d, uid, "", time.Hour, g.w.now())
		return next, entries, true, nil
	})
	if g.alias != nil {
		g.alias(false)
	}
	return "restored", err
}
