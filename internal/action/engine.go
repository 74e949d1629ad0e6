// Package action carries cases through their ladder: it takes observations in, decides,
// tells owners, and asks the gate.
//
// Purpose: small stages over the ledger: open and resolve, decide, notify, enforce, record.
//
// Concurrency: bus handlers, a scheduler, senders and enforcement workers run side by
// side; they meet only in the ledger's compare-and-set and in this engine's small index.
//
// Guarantees: nothing outside is done before it is on record; a restart settles what is
// open by asking the outside world. A docket that was not sighted within two resyncs is
// neither warned about nor acted on.
//
// It will not: judge objects, talk to a cluster (enforce does), or keep what only the
// ledger may keep.
package action

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/policy"
	"github.com/k8guard/k8guard/internal/rule"
)

// tick is how often the scheduler looks for what is due.
const tick = 200 * time.Millisecond

// Enforcer is the gate, as action sees it.
type Enforcer interface {
	Enforce(ctx context.Context, key docket.Key, cases []string, pol config.Policy) error
	Settle(ctx context.Context, key docket.Key) error
	Undo(ctx context.Context, key docket.Key, by, reason string) (string, error)
	// Mark tells on the object that the act has a date; it is told at best once.
	Mark(ctx context.Context, d docket.Docket, action string, cases []string, at time.Time)
}

// Settings is what an Engine is made of.
type Settings struct {
	Ledger   ledger.Ledger
	Bus      bus.Consumer
	Config   config.Config
	Cluster  v1.Cluster
	Control  *control.Control
	Channels []notify.Channel
	Rules    []rule.Meta
	Holder   string // this process, new at each start
	Now      func() time.Time
	Log      *slog.Logger
}

// Engine is the action service.
type Engine struct {
	Settings
	rules   map[string]rule.Meta
	gate    Enforcer // nil: enforcement cannot start
	mode    string
	why     string // why mode is not the configured one
	index   *index
	senders sync.WaitGroup
	sending chan struct{}   // bounds senders
	acting  chan struct{}   // bounds enforcement workers
	last    policy.Controls // of the last round
	sparse  *sparse
}

// New returns an engine in the configured mode, without a gate.
func New(s Settings) *Engine {
	rules := map[string]rule.Meta{}
	for _, m := range s.Rules {
		rules[m.ID] = m
	}
	return &Engine{Settings: s, rules: rules, mode: s.Config.Enforce.Mode, index: newIndex(s.Now, s.Config.Discover.Resync),
		sending: make(chan struct{}, 4), acting: make(chan struct{}, 4), sparse: newSparse()}
}

// SetGate gives the engine its gate; before Run. With why not empty, nothing is acted on
// whatever is configured, but undo works.
func (e *Engine) SetGate(g Enforcer, why string) {
	e.gate, e.why = g, why
	if why != "" && e.mode == config.ModeEnforce {
		e.mode = config.ModeSafe
	}
}

// Sighted implements enforce.Sight.
func (e *Engine) Sighted(key docket.Key) (fresh bool, judged int) { return e.index.sighted(key) }

// Run rebuilds what is open from the ledger, then works until ctx ends. It returns when
// everything that it started has come to rest.
func (e *Engine) Run(ctx context.Context) error {
	if err := e.rebuild(ctx); err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.Bus.Consume(ctx, e.handle) })
	g.Go(func() error { e.schedule(ctx); return nil })
	err := g.Wait()
	e.senders.Wait()
	return err
}

// rebuild makes everything that is open in the ledger due now.
func (e *Engine) rebuild(ctx context.Context) error {
	// What the platform is asked may be about a case that is over: nothing open leads there.
	for _, channel := range e.Channels {
		e.index.addBox(outbox.BoxKey(e.platform().Key(), channel.Name()))
	}
	for bucket := range docket.Buckets {
		keys, err := e.Ledger.OpenInBucket(ctx, bucket)
		if err != nil {
			return fmt.Errorf("reading what is open in bucket %d: %w", bucket, err)
		}
		for _, key := range keys {
			// Another cluster's dockets are not this account's to settle.
			if key.Cluster == e.Cluster.UID {
				e.index.open(key, e.Now())
				e.index.doubtful(key) // until it was looked at
			}
		}
	}
	return nil
}

// schedule works off what is due, until ctx ends.
func (e *Engine) schedule(ctx context.Context) {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		if err := e.round(ctx); err != nil && ctx.Err() == nil {
			if count, say := e.sparse.ask("round", e.Now()); say {
				e.Log.Error("a round of the ladder stopped; trying again", "times", count, "err", err)
			}
		}
	}
}

// round is one pass: evaluate what is due, compose and send, close the budget's round.
func (e *Engine) round(ctx context.Context) error {
	controls, err := e.controls(ctx)
	if err != nil {
		return err
	}
	if controls != e.last { // what waits for a switch is not told of it
		e.last = controls
		e.index.wakeAll()
	}
	filed := newFiling()
	for _, key := range e.index.due(e.Now()) {
		if err := e.evaluate(ctx, key, controls, filed); err != nil {
			e.index.open(key, e.Now().Add(time.Second))
			e.putOff(ctx, key, err)
		}
	}
	// What fails for one owner must not hold up the others, or the budget.
	_, judged := e.index.sighted(docket.Key{})
	return errors.Join(e.file(ctx, filed), e.act(ctx, filed.acts), e.compose(ctx, controls),
		e.Control.CloseRound(ctx, e.Cluster.UID, e.Config.Enforce.Budget, judged))
}

func (e *Engine) controls(ctx context.Context) (policy.Controls, error) {
	frozen, err := e.Control.Frozen(ctx, e.Cluster.Name)
	if err != nil {
		return policy.Controls{}, err
	}
	b, err := e.Control.Breaker(ctx)
	if err != nil {
		return policy.Controls{}, err
	}
	c := policy.Controls{Mode: e.mode, Frozen: frozen}
	if b.Open {
		c.Breaker = b.Reason
	}
	return c, nil
}
