package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/action"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/kafka"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// retryCluster is how soon a cluster that does not answer is asked again.
const retryCluster = 30 * time.Second

// Action is the target "action": it takes from Kafka what discover sees, keeps the ladder in
// Cassandra, tells owners, and acts on the clusters for which it holds an account. As many
// replicas as there are partitions share the work.
func Action(ctx context.Context, s Settings) error {
	if err := needsServices(s.Config); err != nil {
		return err
	}
	in := &instance{Settings: s, registry: telemetry.NewRegistry(s.Version, s.Commit), holder: uuid.NewString(), book: login.NewBook(s.Now)}
	if err := in.wireRules(); err != nil {
		return err
	}
	store, err := in.openCassandra(ctx)
	if err != nil {
		return err
	}
	if err := ledger.Whole(ctx, store); err != nil {
		return errors.Join(err, store.Close())
	}
	in.store, in.ping = store, store.Ping
	settings, err := in.kafkaSettings("")
	if err != nil {
		return errors.Join(err, store.Close())
	}
	consumer, err := kafka.NewConsumer(ctx, settings)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	if err = consumer.Measure(in.registry, in.Now); err == nil {
		err = in.act(ctx, consumer)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeLimit)
	defer cancel()
	return errors.Join(err, consumer.Close(end), store.Close())
}

// act runs the engine over a bus, and looks after the account of each cluster.
func (in *instance) act(ctx context.Context, from bus.Consumer) error {
	if err := in.wireAction(from, namedClusters(in.Config), false); err != nil {
		return err
	}
	if err := in.wireLogin(ctx); err != nil {
		return err
	}
	mux := in.routes(in.machines(in.guard))
	parts := []func(context.Context) error{in.action.Run}
	for _, c := range acting(in.Config) {
		parts = append(parts, func(ctx context.Context) error { in.reach(ctx, c); return nil })
	}
	return in.alone(ctx, in.guard.Wrap(in.guard.All(mux)), parts...)
}

// wireAction makes the engine that answers for these clusters, and the switches that hold it.
func (in *instance) wireAction(from bus.Consumer, clusters []v1.Cluster, alone bool) error {
	timed, err := ledger.NewTimed(in.store, in.registry)
	if err != nil {
		return err
	}
	in.store = timed
	in.control = control.New(in.store, in.Now)
	in.control.OnChange(in.switched)
	channels, err := in.channels()
	if err != nil {
		return err
	}
	in.action = action.New(action.Settings{Ledger: in.store, Bus: from, Config: in.Config, Clusters: clusters, Alone: alone,
		Control: in.control, Channels: channels, Rules: in.engine.Rules(), Holder: in.holder, Now: in.Now, Log: in.Log})
	return nil
}

// acting is the configuration for each cluster that action answers for.
func acting(c config.Config) []config.Config {
	if len(c.Clusters) == 0 {
		return []config.Config{c}
	}
	var all []config.Config
	for _, one := range c.Clusters {
		own := c
		own.Cluster.Name, own.Cluster.ActionKubeconfig, own.Cluster.Authority = one.Name, one.ActionKubeconfig, one.Authority
		if one.Namespace != "" {
			own.Cluster.Namespace = one.Namespace
		}
		all = append(all, own)
	}
	return all
}

// namedClusters lists the clusters that action answers for, by the name alone.
func namedClusters(c config.Config) []v1.Cluster {
	var all []v1.Cluster
	for _, one := range acting(c) {
		all = append(all, v1.Cluster{Name: one.Cluster.Name})
	}
	return all
}

// reach gives the engine the gate of a cluster, as soon as it answers. Until then nothing is
// done there, and its ladders go on.
func (in *instance) reach(ctx context.Context, c config.Config) {
	name := c.Cluster.Name
	for {
		err := in.reachOnce(ctx, c)
		if err == nil || ctx.Err() != nil {
			return
		}
		in.action.SetGate(name, nil, "the cluster does not answer: "+err.Error())
		in.Log.Error("nothing can be done on a cluster; trying again", "cluster", name, "err", err, "next", "check its actionKubeconfig and that the server is up")
		select {
		case <-ctx.Done():
			return
		case <-time.After(retryCluster):
		}
	}
}

func (in *instance) reachOnce(ctx context.Context, c config.Config) error {
	path := c.Cluster.ActionKubeconfig
	if path == "" {
		in.action.SetGate(c.Cluster.Name, nil, "no account that may act: actionKubeconfig is empty")
		return nil
	}
	clients, err := newActionClients(path)
	if err != nil {
		return err
	}
	once, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	system, err := clients.typed.CoreV1().Namespaces().Get(once, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("reading the cluster's identity: %w", err)
	}
	known := v1.Cluster{Name: c.Cluster.Name, UID: string(system.UID)}
	gate := in.gateOf(known, c, clients)
	why := in.mayEnforce(ctx, func(ctx context.Context) error {
		if err := gate.Preflight(ctx, nil); err != nil {
			return err
		}
		rest, err := restConfig(path, "k8guard-action")
		if err != nil {
			return err
		}
		return in.authority(ctx, known.UID, c.Cluster.Authority, rest)
	})
	in.action.SetGate(known.Name, gate, why)
	in.Log.Info("action answers for a cluster", "cluster", known.Name, "uid", known.UID, "why", why)
	return nil
}
