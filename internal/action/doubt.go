package action

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/outbox"
)

const (
	// checkAgain is how soon the ledger is checked again where it was not found in order.
	checkAgain = 2 * time.Second
	// patience is how long the first round waits for the first checks.
	patience = 10 * time.Second
)

const (
	doubtful  = "K8Guard's ledger was restored or is another one: nobody is told and nothing is done until a person decides; the overview says what to do"
	unchecked = "nobody is told and nothing is done before action's account has read its Lease in the cluster: until then this ledger may be an old one; the log says what is in the way"
)

// check is what this process knows of its ledger in one cluster: the first look at the cluster's
// Lease comes before the first word about it, in each replica by itself.
type check struct {
	mu     sync.Mutex // guards all below
	good   bool       // a look found it in order; what is found later is the breaker's to hold
	failed bool       // the last look
	busy   bool       // a look is under way
	next   time.Time  // not before
}

// begin claims a look that is due: the first one, or a regular one.
func (c *check) begin(now time.Time, regular bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.busy || now.Before(c.next) || c.good && !regular {
		return false
	}
	c.busy = true
	return true
}

func (c *check) end(now time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	again := look
	if err != nil {
		again = checkAgain
	}
	c.good, c.failed, c.busy, c.next = c.good || err == nil, err != nil, false, now.Add(again)
}

// isNew reports whether no look has ended yet.
func (c *check) isNew() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.good && !c.failed
}

func (c *check) isGood() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.good
}

// checkLedgers looks beside everything else, so that a cluster that hangs holds up no other. The
// replica that has the cluster's own bucket looks regularly, which also moves the sequence: of a
// ledger that is restored from an older state the cluster knows better.
func (e *Engine) checkLedgers(ctx context.Context) {
	if e.Config.Enforce.Mode == config.ModeDryRun {
		return // it tells nobody and leaves no trace
	}
	ours := map[string]bool{}
	for uid, a := range e.index.audits() {
		ours[a.name] = e.index.owns(docket.BucketOf(uid))
	}
	for _, c := range e.Clusters {
		s := e.site(c.Name)
		if s.gate == nil || !s.ledger.begin(e.Now(), ours[c.Name]) {
			continue
		}
		e.senders.Go(func() {
			once, cancel := context.WithTimeout(ctx, workLimit)
			defer cancel()
			err := s.gate.CheckLedger(once)
			s.ledger.end(e.Now(), err)
			if err == nil || ctx.Err() != nil {
				return
			}
			if count, say := e.sparse.ask("ledger "+c.Name, e.Now()); say {
				e.Log.Error("this ledger was not found to be the one that a cluster saw last; before it is, nobody is told of the cluster; trying again", "cluster", c.Name, "times", count, "err", err)
			}
		})
	}
}

// waits reports whether the first round still waits for the first looks: what they will allow
// in a moment is not put on record as held.
func (e *Engine) waits() bool {
	if e.began.IsZero() {
		e.began = e.Now()
	}
	if e.Now().Sub(e.began) > patience {
		return false
	}
	return slices.ContainsFunc(e.Clusters, func(c v1.Cluster) bool {
		s := e.site(c.Name)
		return !s.never && s.mode != config.ModeDryRun && s.ledger.isNew()
	})
}

// doubt says why nobody may be told of a cluster, or "". Without an account that could look,
// nothing protects it from a ledger that is restored.
func (e *Engine) doubt(cluster string, breakers control.Breakers) string {
	s := e.site(cluster)
	switch {
	case s.mode == config.ModeDryRun:
		return ""
	case breakers.Doubted(cluster):
		return doubtful
	case s.never || s.ledger.isGood():
		return ""
	}
	return unchecked
}

// inDoubt reports whether a notice speaks of a cluster of which nobody may be told. Its cases
// are fixed, so it waits as a whole.
func (e *Engine) inDoubt(n outbox.Notice) bool {
	for _, item := range n.Digest.Items {
		if e.last[cmp.Or(item.Cluster, n.Digest.Cluster)].Doubt != "" {
			return true
		}
	}
	return false
}
