package app

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/enforce"
)

// wireGate gives action its gate. Without its account there is none; where the preflight
// fails there is one, for undo, but nothing is acted on.
func (in *instance) wireGate(ctx context.Context) error {
	if in.Config.Cluster.ActionKubeconfig == "" {
		in.action.NoGate(in.cluster.Name, "no account that may act: cluster.actionKubeconfig is empty")
		return nil
	}
	clients, err := newActionClients(actionOf(in.Config), in.calls)
	if err != nil {
		return err
	}
	in.enforcer = in.gateOf(in.cluster, in.Config, clients)
	in.barred = in.admit(ctx)
	in.sayBarred(in.barred)
	return nil
}

// admit lets the engine act where the preflight passes, and says why it does not.
func (in *instance) admit(ctx context.Context) error {
	err := in.mayEnforce(ctx, func(ctx context.Context) error {
		if err := in.enforcer.Preflight(ctx, in.client); err != nil {
			return err
		}
		return in.authority(ctx, in.cluster.UID, in.Config.Cluster.Authority, in.rest)
	})
	in.action.SetGate(in.cluster.Name, in.enforcer, whyNot(err))
	return err
}

// admitAgain asks again until enforcement may start: what bars it may be mended meanwhile.
func (in *instance) admitAgain(ctx context.Context, pause time.Duration) {
	for said := in.barred; in.barred != nil; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		if in.barred = in.admit(ctx); whyNot(in.barred) != whyNot(said) && ctx.Err() == nil {
			said = in.barred
			in.sayBarred(said)
		}
	}
}

func (in *instance) sayBarred(err error) {
	if err == nil {
		return
	}
	next := "mend it: it is asked again every 30 s"
	if apierrors.IsUnauthorized(err) {
		next = in.anew(actionOf(in.Config))
	}
	in.Log.Error("enforcement does not start; trying again", "err", err, "next", next)
}

// whyNot is what an engine is told of a preflight.
func whyNot(err error) string {
	if err == nil {
		return ""
	}
	return "enforcement does not start: " + err.Error()
}

// gateOf is the gate of one cluster, over an account that may act there.
func (in *instance) gateOf(c v1.Cluster, conf config.Config, clients *actionClients) *enforce.Enforcer {
	return enforce.New(enforce.Settings{Client: clients.typed, Dynamic: clients.dynamic, Skew: clients.clock.Skew,
		Cluster: c, Config: conf, Teams: in.chain.Teams, Store: in.store, Control: in.control, Engine: in.engine, Sight: in.action,
		Holder: in.holder, Now: in.Now, Log: in.Log, Metrics: in.gates})
}

// mayEnforce says why nothing is acted on though it is configured, or nil.
func (in *instance) mayEnforce(ctx context.Context, preflight func(context.Context) error) error {
	if in.Config.Enforce.Mode != config.ModeEnforce {
		return nil
	}
	return thrice(ctx, preflight)
}

// thrice asks three times, each within ten seconds: a server that is only slow must not
// hold up the start, nor keep enforcement off until the next one. Nor must one that has not
// read its roles yet: it is asked for ten seconds.
func thrice(ctx context.Context, ask func(context.Context) error) error {
	var err error
	from := time.Now()
	for try := 0; try < 3 || (apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err)) && time.Since(from) < 10*time.Second; try++ {
		if try > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(2 * time.Second):
			}
		}
		once, cancel := context.WithTimeout(ctx, 10*time.Second)
		err = ask(once)
		cancel()
		if err == nil {
			return nil
		}
	}
	return err
}
