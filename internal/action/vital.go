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
	since             time.Time // of what is missing
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
		errs = append(errs, e.Control.Watch(ctx, uid, e.sign(a), limits))
	}
	return errors.Join(errs...)
}

func (e *Engine) sign(a audit) control.Signs {
	now := e.Now()
	if silent := now.Sub(a.at); a.missing == "" && silent > 2*e.Config.Discover.Resync {
		return control.Signs{Violating: a.violating, Judged: a.judged, Stale: fmt.Sprintf("cluster %s is silent", a.name), StaleFor: silent}
	}
	s := control.Signs{Violating: a.violating, Judged: a.judged, Stale: a.missing}
	if a.missing != "" {
		s.StaleFor = now.Sub(a.since)
	}
	return s
}

// setAudit takes over what an inventory says; what is missing goes on missing since it was
// first said.
func (x *index) setAudit(c v1.Cluster, a audit) {
	x.mu.Lock()
	defer x.mu.Unlock()
	before := x.audit[c.UID]
	a.name, a.since = c.Name, a.at
	if before.missing != "" {
		a.since = before.since
	}
	x.audit[c.UID] = a
}

// audits lists the clusters of which an inventory came.
func (x *index) audits() map[string]audit {
	x.mu.Lock()
	defer x.mu.Unlock()
	return maps.Clone(x.audit)
}
