package app

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/kafka"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
)

// postman is the bus of a report: it tells whoever acts that there is an order. Where there is no
// Kafka, or it is away, nobody is told, and whoever acts finds the order by itself: a report
// that could not take a freeze for want of Kafka would be worth little.
type postman struct {
	in *instance
	to atomic.Pointer[kafka.Consumer]
}

var _ bus.Consumer = (*postman)(nil)

// open waits for Kafka, and then until ctx ends. A Kafka that refuses us is no reason to end, either.
func (p *postman) open(ctx context.Context) error {
	said := ""
	for p.in.Config.Bus.Kind == config.BusKafka && p.to.Load() == nil {
		c, err := p.in.dialKafka(ctx)
		switch {
		case err == nil:
			p.to.Store(c)
			continue
		case ctx.Err() == nil && err.Error() != said:
			said = err.Error()
			p.in.Log.Warn("Kafka does not take this report's word: orders are found at the next look of who acts; trying again", "server", "Kafka", "err", err,
				"next", "check that it is up, and bus.kafka in the configuration")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(retryServer):
		}
	}
	<-ctx.Done()
	return nil
}

// close hands over what was said last; open must have ended.
func (p *postman) close(ctx context.Context) error {
	if c := p.to.Load(); c != nil {
		return closeKafka(ctx, c)
	}
	return nil
}

// Consume implements bus.Consumer: a report hears nothing.
func (p *postman) Consume(ctx context.Context, _ bus.Handler, _ bus.Share) error {
	<-ctx.Done()
	return nil
}

// Pass implements bus.Consumer.
func (p *postman) Pass(ctx context.Context, m v1.Message) error {
	if c := p.to.Load(); c != nil {
		return c.Pass(ctx, m)
	}
	if p.in.Config.Bus.Kind != config.BusKafka {
		return errors.New("bus.kind is not kafka, so nobody is told at once")
	}
	return errors.New("Kafka does not answer, so nobody is told at once") //nolint:staticcheck // a name
}

// Request implements bus.Consumer.
func (p *postman) Request(docket.Key) {}
