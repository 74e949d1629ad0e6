package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/kafka"
	"github.com/k8guard/k8guard/internal/cluster"
)

// discoverApart is the target "discover" with Kafka: of all replicas for one cluster one leads,
// and tells action what it sees.
func discoverApart(ctx context.Context, s Settings) error {
	if err := named(s.Config); err != nil {
		return err
	}
	in := newInstance(s)
	known, err := openImages(s.Config.Cache)
	if err != nil {
		return err
	}
	in.images = known
	return errors.Join(in.early(ctx, in.discoverApart), known.close())
}

// discoverApart is the rest of it.
func (in *instance) discoverApart(ctx context.Context) error {
	if _, err := in.wireWatch(ctx); err != nil {
		return err
	}
	settings, err := in.kafkaSettings(in.cluster.UID)
	if err != nil {
		return err
	}
	publisher, err := patient(ctx, in, "Kafka", kafka.Patient(in.Now), func() (*kafka.Publisher, error) { return kafka.NewPublisher(ctx, settings) })
	if err != nil {
		return err
	}
	if err = publisher.Measure(in.registry); err == nil {
		err = in.lead(ctx, publisher)
	}
	return errors.Join(err, closeKafka(ctx, publisher))
}

// lead serves, and audits while this replica leads.
func (in *instance) lead(ctx context.Context, to *kafka.Publisher) error {
	if err := in.wireLogin(ctx); err != nil {
		return err
	}
	stage := &stage{standby: in.routes(in.machines(in.guard))}
	candidate := cluster.Candidate{Client: in.client, Namespace: in.Config.Cluster.Namespace, Holder: in.holder, Now: in.Now, Log: in.Log}
	return in.alone(ctx, in.guard.Wrap(in.guard.All(stage)), func(ctx context.Context) error {
		return candidate.Lead(ctx, func(ctx context.Context, epoch int64) error { return in.reign(ctx, to, epoch, stage) })
	}, in.images.run)
}

// reign is one leadership: a watch and metrics of its own.
func (in *instance) reign(ctx context.Context, to *kafka.Publisher, epoch int64, stage *stage) error {
	term := newInstance(in.Settings)
	term.guard, term.images = in.guard, in.images
	first, err := in.first()
	if err != nil {
		return err
	}
	if first != nil {
		term.hints = make(chan bus.Hint)
	}
	watcher, err := term.wireWatch(ctx)
	if err != nil {
		return err
	}
	if term.cluster.UID != in.cluster.UID {
		return fmt.Errorf("cluster %s was %s and is %s now: another cluster answers at cluster.kubeconfig; start discover again if that is meant",
			in.cluster.Name, in.cluster.UID, term.cluster.UID)
	}
	if err := errors.Join(to.Measure(term.registry), term.wireDiscover(watcher, to, epoch)); err != nil {
		return err
	}
	stage.leads.Store(term.routes(term.discoverRoutes()))
	defer stage.leads.Store(nil)
	return together(ctx, term.discover.Run, func(ctx context.Context) error { return term.listen(ctx, first) })
}

func (in *instance) routes(all map[string]http.Handler) *http.ServeMux {
	mux := http.NewServeMux()
	for pattern, handler := range all {
		mux.Handle(pattern, handler)
	}
	return mux
}

// stage serves what the leadership of this replica sees, and in between what a standby may say.
type stage struct {
	leads   atomic.Pointer[http.ServeMux]
	standby *http.ServeMux
}

// ServeHTTP implements http.Handler.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if mux := s.leads.Load(); mux != nil {
		mux.ServeHTTP(w, r)
		return
	}
	if _, pattern := s.standby.Handler(r); pattern == "" {
		http.Error(w, "this replica of discover stands by; the one that leads knows", http.StatusServiceUnavailable)
		return
	}
	s.standby.ServeHTTP(w, r)
}
