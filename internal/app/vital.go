package app

import (
	"context"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
)

// vital looks now and again at what opens the circuit breaker beside the gate's own reads.
// Where nothing is acted on it looks too: what it learns is there when that changes.
func (in *instance) vital(ctx context.Context) {
	every := min(30*time.Second, max(time.Second, in.Config.Discover.Resync))
	b := in.Config.Enforce.Breaker
	limits := control.Limits{SharePoints: b.SharePoints, Stale: b.Stale, Skew: b.ClockSkew}
	if mode, _ := in.action.Mode(in.cluster.Name); mode != config.ModeEnforce {
		limits = control.Limits{} // nothing to break
	}
	var since time.Time // of what is stale
	for {
		s := control.Signs{Violating: in.action.Open(), Judged: in.action.Judged(in.cluster.UID), Stale: in.stale()}
		switch {
		case s.Stale == "":
			since = time.Time{}
		case since.IsZero():
			since = in.Now()
		default:
			s.StaleFor = in.Now().Sub(since)
		}
		if err := in.control.Watch(ctx, in.cluster.UID, s, limits); err != nil && ctx.Err() == nil {
			in.Log.Warn("the signs of the audit were not kept; without a ledger nothing is done anyway", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(every):
		}
	}
}

// stale names the kinds that are not read completely or whose watch is silent, or "".
func (in *instance) stale() string {
	s := in.discover.Status()
	var names []string
	for _, k := range s.Kinds {
		switch {
		case k.Err != nil:
			names = append(names, string(k.Kind)+" ("+k.Err.Error()+")")
		case !k.Complete:
			names = append(names, string(k.Kind)+" (not read yet)")
		}
	}
	if len(names) == 0 && s.Stale {
		return "a watch is silent"
	}
	return strings.Join(names, ", ")
}
