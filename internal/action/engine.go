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
	"log/slog"
	"maps"
	"slices"
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
	"github.com/k8guard/k8guard/internal/policy"
	"github.com/k8guard/k8guard/internal/rule"
)

// tick is how often the scheduler looks for what is due.
const tick = 200 * time.Millisecond

// Enforcer is the gate, as action sees it.
type Enforcer interface {
	Enforce(ctx context.Context, key docket.Key, cases []string, pol config.Policy) error
	Settle(ctx context.Context, key docket.Key) error
	Undo(ctx context.Context, key docket.Key, asked docket.Undo) (string, error)
	// Mark tells on the object that the act has a date; it is told at best once.
	Mark(ctx context.Context, d docket.Docket, action string, cases []string, at time.Time)
	// CheckLedger makes sure that this ledger is the one which the cluster saw last, and shows
	// it how far it is. Where it is not, the breaker opens.
	CheckLedger(ctx context.Context) error
}

// Settings is what an Engine is made of.
type Settings struct {
	Ledger   ledger.Store
	Bus      bus.Consumer
	Config   config.Config
	Clusters []v1.Cluster // those that it answers for; without a UID, whatever has the name
	Control  *control.Control
	Channels []notify.Channel
	// Reach says by which ids a channel reaches an owner personally, and which it tags beside;
	// nil knows none.
	Reach  func(channel string, o v1.Owner) (ids, tags []string)
	Rules  []rule.Meta
	Holder string // this process, new at each start
	// Alone is true where no other process can have the ledger: what another one was sending
	// has ended with it.
	Alone bool
	Now   func() time.Time
	Log   *slog.Logger
}

// site is one cluster that the engine answers for.
type site struct {
	gate  Enforcer // nil: enforcement cannot start
	never bool     // there will be no gate: no account is configured
	mode  string
	why   string // why mode is not the configured one

	acting chan struct{} // bounds its workers
	ledger *check        // of our ledger there
}

// Engine is the action service.
type Engine struct {
	Settings
	rules map[string]rule.Meta
	index *index
	boxes *boxes

	mu      sync.Mutex
	sites   map[string]site // by the cluster's name
	rounds  sync.Mutex      // held by a round of the ladder
	senders sync.WaitGroup
	sending map[string]chan struct{}   // by channel; see slots
	last    map[string]policy.Controls // of the last round
	sparse  *sparse
	began   time.Time // of the first round
	metrics *metrics
}

// New returns an engine in the configured mode, without a gate.
func New(s Settings) *Engine {
	rules := map[string]rule.Meta{}
	for _, m := range s.Rules {
		rules[m.ID] = m
	}
	sites := map[string]site{}
	for _, c := range s.Clusters {
		sites[c.Name] = site{mode: s.Config.Enforce.Mode, acting: make(chan struct{}, workers), ledger: &check{}}
	}
	return &Engine{Settings: s, rules: rules, sites: sites, index: newIndex(s.Now, s.Config.Discover.Resync), boxes: newBoxes(s.Now),
		sending: map[string]chan struct{}{}, sparse: newSparse(), metrics: newMetrics(s.Channels)}
}

// SetGate gives the engine the gate of one of its clusters, at any time. With why not empty,
// nothing is acted on whatever is configured, but undo works.
func (e *Engine) SetGate(cluster string, g Enforcer, why string) {
	e.setSite(cluster, site{gate: g, why: why})
}

// NoGate says why a cluster of the engine's will have no gate under this configuration.
func (e *Engine) NoGate(cluster, why string) { e.setSite(cluster, site{never: true, why: why}) }

func (e *Engine) setSite(cluster string, s site) {
	s.mode = e.Config.Enforce.Mode
	if s.why != "" && s.mode == config.ModeEnforce {
		s.mode = config.ModeSafe
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if old, ok := e.sites[cluster]; ok {
		s.acting, s.ledger = old.acting, old.ledger
	} else {
		s.acting, s.ledger = make(chan struct{}, workers), &check{}
	}
	e.sites[cluster] = s
}

// answers reports whether a cluster is one of ours.
func (e *Engine) answers(name, uid string) bool {
	return slices.ContainsFunc(e.Clusters, func(c v1.Cluster) bool { return c.Name == name && (c.UID == "" || c.UID == uid) })
}

// site is of a cluster that is not ours an empty one, where nothing is done.
func (e *Engine) site(cluster string) site {
	e.mu.Lock()
	defer e.mu.Unlock()
	if s, ok := e.sites[cluster]; ok {
		return s
	}
	return site{mode: config.ModeSafe, why: "this action answers for other clusters"}
}

// Sighted implements enforce.Sight.
func (e *Engine) Sighted(key docket.Key) (fresh bool, judged int) { return e.index.sighted(key) }

// Run works on the buckets that the bus gives it, until ctx ends. It returns when everything
// that it started has come to rest.
func (e *Engine) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return e.Bus.Consume(ctx, e.handle, e) })
	g.Go(func() error { e.schedule(ctx); return nil })
	g.Go(func() error { e.vital(ctx); return nil })
	err := g.Wait()
	e.senders.Wait()
	return err
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
		began := time.Now()
		err := e.round(ctx)
		e.metrics.rounds.Observe(time.Since(began).Seconds())
		if err != nil && ctx.Err() == nil {
			if count, say := e.sparse.ask("round", e.Now()); say {
				e.Log.Error("a round of the ladder stopped; trying again", "times", count, "err", err)
			}
		}
	}
}

// round is one pass: evaluate what is due, compose and send, close the budget's round.
func (e *Engine) round(ctx context.Context) error {
	e.rounds.Lock()
	defer e.rounds.Unlock()
	if e.checkLedgers(ctx); e.waits() {
		return nil
	}
	controls, err := e.controls(ctx)
	if err != nil {
		return err
	}
	if !maps.Equal(controls, e.last) { // what waits for a switch is not told of it
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
	// What fails for one owner must not hold up the others, or the budgets.
	return errors.Join(e.file(ctx, filed), e.act(ctx, filed.acts), e.compose(ctx, controls), e.sendAgain(ctx), e.closeRounds(ctx))
}

// closeRounds ends the budget's rounds of the clusters whose own bucket is ours.
func (e *Engine) closeRounds(ctx context.Context) error {
	var errs []error
	for uid, a := range e.index.audits() {
		if e.index.owns(docket.BucketOf(uid)) {
			errs = append(errs, e.Control.CloseRound(ctx, uid, e.Config.Enforce.Budget, a.judged, e.stillAsks))
		}
	}
	return errors.Join(errs...)
}

// stillAsks reports whether a docket, by the name of its claim, asks for an act: its holder may
// have died before it took the claim back.
func (e *Engine) stillAsks(ctx context.Context, id string) (bool, error) {
	d, err := e.Ledger.Load(ctx, keyFrom(id))
	if err != nil {
		return true, err
	}
	act := d.Enforcement != nil && d.Enforcement.State == docket.Intent
	return act || slices.ContainsFunc(d.Cases, func(c docket.Case) bool { return c.State == docket.Open && c.Plan.Step == policy.Act }), nil
}

// controls reads what holds everything at once, for each of our clusters by name.
func (e *Engine) controls(ctx context.Context) (map[string]policy.Controls, error) {
	breakers, err := e.Control.Breakers(ctx)
	if err != nil {
		return nil, err
	}
	freezes, err := e.Control.Freezes(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]policy.Controls{}
	for _, cluster := range e.Clusters {
		c := policy.Controls{Mode: e.site(cluster.Name).mode, Frozen: control.FrozenBy(freezes, cluster.Name)}
		if b := breakers.On(cluster.Name); b.Open {
			c.Breaker = b.Reason
		}
		c.Doubt = e.doubt(cluster.Name, breakers)
		all[cluster.Name] = c
	}
	return all, nil
}
