package action

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
)

// due is a docket whose act is due: what it claims of the budget, and what the gate is asked.
type due struct {
	d     docket.Docket
	cases []string
	pol   config.Policy
	claim control.Claim
}

func (e *Engine) asks(d docket.Docket, cases []string) due {
	pol := e.policyOf(d, *d.Find(cases[0]))
	// One act answers to one policy; cases of another wait for their own turn.
	cases = slices.DeleteFunc(slices.Clone(cases), func(id string) bool { return e.policyOf(d, *d.Find(id)).Name != pol.Name })
	claim := control.Claim{ID: d.Key.String(), Namespace: d.Root.Namespace, Owner: e.ownerOf(d, d.Find(cases[0]).Rule).Key()}
	for _, id := range cases {
		claim.Rules = append(claim.Rules, d.Find(id).Rule)
	}
	return due{d, cases, pol, claim}
}

// act files the claims of one round together, for thousands may come due at once and the
// budget is one document. It asks the gate for those that the budget's round has answered.
func (e *Engine) act(ctx context.Context, all []due) error {
	byCluster := map[string][]due{} // each has a budget of its own
	for _, a := range all {
		byCluster[a.d.Key.Cluster] = append(byCluster[a.d.Key.Cluster], a)
	}
	var errs []error
	for cluster, some := range byCluster {
		errs = append(errs, e.actIn(ctx, cluster, some))
	}
	return errors.Join(errs...)
}

func (e *Engine) actIn(ctx context.Context, cluster string, all []due) error {
	// The gate answers one after the other: claims of what it will not come to soon would only
	// fill the budget.
	if room := max(0, 2*portion-e.index.underWay(cluster)); len(all) > room {
		for _, a := range all[room:] {
			e.index.open(a.d.Key, e.Now().Add(recheck))
		}
		all = all[:room]
	}
	if len(all) == 0 {
		return nil
	}
	claims := make([]control.Claim, 0, len(all))
	for _, a := range all {
		claims = append(claims, a.claim)
	}
	b, err := e.Control.File(ctx, cluster, claims...)
	if err != nil {
		for _, a := range all {
			e.index.open(a.d.Key, e.Now().Add(time.Second))
		}
		return err
	}
	for _, a := range all {
		e.index.claim(a.d.Key)
		if !b.Answered(a.claim.ID, e.Now()) {
			e.index.open(a.d.Key, e.Now().Add(max(tick, min(recheck, e.Config.Enforce.Budget.Round/4))))
		} else if e.site(a.d.Cluster).gate != nil && e.index.owns(a.d.Key.Bucket()) && e.index.take(a.d.Key) {
			e.begin(ctx, a)
		}
	}
	return nil
}

// begin asks the gate, beside everything else; the docket is taken.
func (e *Engine) begin(ctx context.Context, a due) {
	e.work(ctx, a.d.Cluster, a.d.Key, func(ctx context.Context, s site) error {
		if s.mode != config.ModeEnforce {
			return nil
		}
		err := s.gate.Enforce(ctx, a.d.Key, a.cases, a.pol)
		if err != nil {
			e.index.doubtful(a.d.Key)
			e.Log.Error("enforcement is open; it is settled next", "root", a.d.Root.String(), "err", err)
		}
		return err
	})
}
