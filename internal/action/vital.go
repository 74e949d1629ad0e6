package action

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
)

// audit is how the audit of a cluster is doing, by its newest inventory.
type audit struct {
	name              string // of the cluster
	judged, violating int    // roots
	missing           string // what is not read, or silent
	at                time.Time
}

// look is how often the signs of an audit are looked at.
const look = 30 * time.Second

// vital looks now and again at what opens the circuit breaker beside the gate's own reads, in
// the clusters whose own bucket is ours. Where nothing is acted on it looks too: what it learns
// is there when that changes.
func (e *Engine) vital(ctx context.Context) {
	every := min(look, max(time.Second, e.Config.Discover.Resync))
	for {
		if err := e.signs(ctx); err != nil && ctx.Err() == nil {
			e.Log.Warn("the signs of the audit were not kept; without a ledger nothing is done anyway", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

func (e *Engine) signs(ctx context.Context) error {
	var errs []error
	for uid, a := range e.index.audits() {
		if !e.index.owns(docket.BucketOf(uid)) {
			continue
		}
		b := e.Config.Enforce.Breaker
		limits := control.Limits{SharePoints: b.SharePoints, Stale: b.Stale, Skew: b.ClockSkew}
		if e.site(a.name).mode != config.ModeEnforce {
			limits = control.Limits{} // nothing to break
		}
		errs = append(errs, e.Control.Watch(ctx, v1.Cluster{Name: a.name, UID: uid}, e.sign(uid, a), limits))
	}
	return errors.Join(errs...)
}

// sign says how a cluster's audit is doing. How long it is not whole counts from the first look
// that saw it: a process that was paused sees nothing until it looks.
func (e *Engine) sign(uid string, a audit) control.Signs {
	now := e.Now()
	s := control.Signs{Violating: a.violating, Judged: a.judged, Stale: a.missing}
	if s.Stale == "" && now.Sub(a.at) > 2*e.Config.Discover.Resync {
		s.Stale = fmt.Sprintf("cluster %s is silent", a.name)
	}
	s.StaleFor = e.index.staleFor(uid, s.Stale != "", now)
	return s
}

// staleFor notes whether a cluster's audit is stale at this look, and returns for how long it has been.
func (x *index) staleFor(cluster string, stale bool, now time.Time) time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !stale {
		delete(x.stale, cluster)
		return 0
	}
	if x.stale[cluster].IsZero() {
		x.stale[cluster] = now
	}
	return now.Sub(x.stale[cluster])
}

// setAudit takes over what an inventory says.
func (x *index) setAudit(c v1.Cluster, a audit) {
	x.mu.Lock()
	defer x.mu.Unlock()
	a.name = c.Name
	x.audit[c.UID] = a
}

// audits lists the clusters of which an inventory came.
func (x *index) audits() map[string]audit {
	x.mu.Lock()
	defer x.mu.Unlock()
	return maps.Clone(x.audit)
}
