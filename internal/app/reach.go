package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
)

// reach gives the engine the gate of a cluster as soon as it answers, and lets it act there as
// soon as the preflight passes. Until then nothing is done there, and its ladders go on. The first
// pauses are short, for servers and rights that begin with us; the longest is pause.
func (in *instance) reach(ctx context.Context, c config.Config, pause time.Duration) {
	said := ""
	for wait := min(time.Second, pause); ; wait = min(2*wait, pause) {
		err := in.reachOnce(ctx, c)
		if err == nil || ctx.Err() != nil {
			return
		}
		if text := err.Error(); text != said {
			said = text
			in.Log.Error("nothing can be done on a cluster; trying again", "cluster", c.Cluster.Name, "err", err, "next", "mend what it names; check its actionKubeconfig and that the server is up")
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (in *instance) reachOnce(ctx context.Context, c config.Config) error {
	name := c.Cluster.Name
	if c.Cluster.ActionKubeconfig == "" {
		in.action.NoGate(name, "no account that may act: actionKubeconfig is empty")
		return nil
	}
	clients, known, err := in.greet(ctx, c)
	if err != nil {
		in.action.SetGate(name, nil, err.Error())
		return err
	}
	gate := in.gateOf(known, c, clients)
	err = in.mayEnforce(ctx, func(ctx context.Context) error {
		if err := gate.Preflight(ctx, nil); err != nil {
			return err
		}
		rest, err := restConfig(actionOf(c), in.calls)
		if err != nil {
			return err
		}
		return in.authority(ctx, known.UID, c.Cluster.Authority, rest)
	})
	if clash := in.only(known, func() { in.action.SetGate(name, gate, whyNot(err)) }); clash != nil {
		return clash
	}
	if err != nil {
		return fmt.Errorf("enforcement does not start: %w", err)
	}
	in.Log.Info("action answers for a cluster", "cluster", name, "uid", known.UID)
	return nil
}

// greet reaches a cluster and learns which one it is.
func (in *instance) greet(ctx context.Context, c config.Config) (*actionClients, v1.Cluster, error) {
	known := v1.Cluster{Name: c.Cluster.Name}
	clients, err := newActionClients(actionOf(c), in.calls)
	if err != nil {
		return nil, known, err
	}
	once, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	system, err := clients.typed.CoreV1().Namespaces().Get(once, metav1.NamespaceSystem, metav1.GetOptions{})
	switch {
	case apierrors.IsUnauthorized(err):
		return nil, known, fmt.Errorf("the API server does not know action's token or certificate (401); make it anew (%s), it is read again by itself: %w", actionOf(c).maker(), err)
	case apierrors.IsForbidden(err):
		return nil, known, fmt.Errorf("the API server does not let action's account read the cluster's identity (403); if it lasts, apply deploy/rbac-action.yaml: %w", err)
	case err != nil:
		return nil, known, fmt.Errorf("the cluster does not answer: reading its identity: %w", err)
	}
	known.UID = string(system.UID)
	return clients, known, in.only(known, func() {})
}

// places are the clusters that answered.
type places struct {
	mu   sync.Mutex
	name map[string]string // by UID
	two  map[string]error  // by UID: why what has it is refused
}

// only refuses two names that lead to one cluster: whose its dockets are, nobody could tell.
// Both lose their gates; who mends a kubeconfig starts action again. Where it refuses nothing,
// do is done before another cluster is looked at.
func (in *instance) only(c v1.Cluster, do func()) error {
	p := &in.places
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.name == nil {
		p.name, p.two = map[string]string{}, map[string]error{}
	}
	first, there := p.name[c.UID]
	if there && first != c.Name && p.two[c.UID] == nil {
		p.two[c.UID] = fmt.Errorf("clusters %s and %s are one: both API servers say that they are %s; correct an actionKubeconfig, and start action again", first, c.Name, c.UID)
	}
	if err := p.two[c.UID]; err != nil {
		in.action.SetGate(first, nil, err.Error())
		in.action.SetGate(c.Name, nil, err.Error())
		return err
	}
	p.name[c.UID] = c.Name
	do()
	return nil
}
