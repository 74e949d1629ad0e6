package app

import (
	"context"
	"errors"
	"sync/atomic"

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
	if p.in.Config.Bus.Kind == config.BusKafka {
		c, err := patient(ctx, p.in, "Kafka", func(error) bool { return true }, func() (*kafka.Consumer, error) {
			settings, err := p.in.kafkaSettings("")
			if err != nil {
				return nil, err
			}
			return kafka.NewConsumer(ctx, settings)
		})
		if err != nil || ctx.Err() != nil {
			return err
		}
		p.to.Store(c)
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
