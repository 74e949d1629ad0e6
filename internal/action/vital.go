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
	order             v1.Order
	at                time.Time // when it was said, by its own clock
	heard             time.Time // when it came, by ours
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
		s.Stale, s.Silent = e.silence(uid, a, now), true
	}
	s.StaleFor = e.index.staleFor(uid, s.Stale != "", now)
	return s
}

// silence says that nothing is heard of a cluster, and what is heard instead.
func (e *Engine) silence(uid string, a audit, now time.Time) string {
	silent := fmt.Sprintf("cluster %s is silent", a.name)
	l, _ := e.index.leader(uid)
	switch {
	case l.older != 0:
		return control.Advise(fmt.Sprintf("%s: only words of epoch %d come, and the ledger has seen %d", silent, l.older, l.epoch), mend)
	case now.Sub(a.heard) <= 2*e.Config.Discover.Resync && a.heard.Sub(a.at) > e.Config.Discover.Resync:
		return fmt.Sprintf("%s: what comes was said %s before, by its clock: that clock or this one is wrong, or the bus is behind", silent, a.heard.Sub(a.at).Round(time.Second))
	}
	return silent
}

// staleness is since when an audit is not whole, and when that was looked at last.
type staleness struct{ since, looked time.Time }

// staleFor notes whether a cluster's audit is stale at this look, and returns for how long it has
// been. A time in which nobody looked, for this process was paused, does not count.
func (x *index) staleFor(cluster string, stale bool, now time.Time) time.Duration {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !stale {
		delete(x.stale, cluster)
		return 0
	}
	d, ok := x.stale[cluster]
	if !ok {
		d = staleness{now, now}
	}
	if gap := now.Sub(d.looked); gap > 4*look {
		d.since = d.since.Add(gap - look) // but for the look itself: slow ones add up
	}
	d.looked = now
	x.stale[cluster] = d
	return now.Sub(d.since)
}

// setAudit takes over what an inventory says, unless a later one was here. What lay on the bus for
// long is no news of now.
func (x *index) setAudit(c v1.Cluster, a audit) {
	x.mu.Lock()
	defer x.mu.Unlock()
	known := x.audit[c.UID]
	if a.order.Before(known.order) {
		return
	}
	now := x.now()
	if a.at.IsZero() || a.at.After(now) {
		a.at = now // clocks differ a little
	}
	if a.heard = known.heard; known.order.Before(a.order) || known.heard.IsZero() {
		a.heard = now // else it is said again
	}
	a.name = c.Name
	x.audit[c.UID] = a
}

// audits lists the clusters of which an inventory came.
func (x *index) audits() map[string]audit {
	x.mu.Lock()
	defer x.mu.Unlock()
	return maps.Clone(x.audit)
}
