package app

import (
	"context"
	"errors"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/action"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/ledger"
)

// retryCluster is how soon a cluster that does not answer, or does not admit us, is asked again.
const retryCluster = 30 * time.Second

// Action is the target "action": it takes from Kafka what discover sees, keeps the ladder in
// Cassandra, tells owners, and acts on the clusters for which it holds an account. As many
// replicas as there are partitions share the work.
func Action(ctx context.Context, s Settings) error {
	if err := needsServices(s.Config); err != nil {
		return err
	}
	in := newInstance(s)
	return in.early(ctx, in.actApart)
}

// actApart is the rest of it.
func (in *instance) actApart(ctx context.Context) error {
	if err := in.wireRules(); err != nil {
		return err
	}
	if err := in.measureRules(); err != nil {
		return err
	}
	store, err := in.openCassandra(ctx)
	if err != nil {
		return err
	}
	in.store, in.ping = store, store.Ping
	consumer, err := in.openKafka(ctx)
	if err != nil {
		return errors.Join(err, store.Close())
	}
	if err = consumer.Measure(in.registry, in.Now); err == nil {
		err = in.act(ctx, consumer)
	}
	return errors.Join(err, closeKafka(ctx, consumer), store.Close())
}

// act runs the engine over a bus, and looks after the account of each cluster.
func (in *instance) act(ctx context.Context, from bus.Consumer) error {
	if err := in.wireAction(from, namedClusters(in.Config), false); err != nil {
		return err
	}
	if err := in.measureAction(); err != nil {
		return err
	}
	if err := in.wireLogin(ctx); err != nil {
		return err
	}
	mux := in.routes(in.machines(in.guard))
	parts := []func(context.Context) error{in.action.Run}
	for _, c := range acting(in.Config) {
		parts = append(parts, func(ctx context.Context) error { in.reach(ctx, c, retryCluster); return nil })
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
		Control: in.control, Channels: channels, Reach: book(in.Config, in.chain.Teams).Reach, Rules: in.engine.Rules(), Holder: in.holder, Now: in.Now, Log: in.Log})
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
