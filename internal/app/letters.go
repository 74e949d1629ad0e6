package app

import (
	"context"
	"errors"

	"github.com/k8guard/k8guard/internal/bus/kafka"
	"github.com/k8guard/k8guard/internal/config"
)

// Letter is a message that nobody could read.
type Letter = kafka.Letter

// maxLetters bounds what is listed and replayed at once.
const maxLetters = 10_000

// DeadLetters lists what nobody could read, oldest first.
func DeadLetters(ctx context.Context, s Settings) (all []Letter, err error) {
	err = withConsumer(ctx, s, func(c *kafka.Consumer) error {
		all, err = c.Letters(ctx, maxLetters)
		return err
	})
	return all, err
}

// Replay says letters again: the one of this ID, or all where it is empty. It returns how many
// went out, and why others did not.
func Replay(ctx context.Context, s Settings, id string) (n int, err error) {
	if id != "" {
		if _, _, err := kafka.ParseID(id); err != nil {
			return 0, err
		}
	}
	err = withConsumer(ctx, s, func(c *kafka.Consumer) error {
		letters, err := c.Letters(ctx, maxLetters)
		found := id == ""
		for _, l := range letters {
			if id != "" && l.ID() != id {
				continue
			}
			found = true
			again := c.Replay(ctx, l)
			if again == nil {
				n++
			}
			err = errors.Join(err, again)
		}
		if err == nil && !found {
			err = errors.New("there is no dead letter " + id + "; k8guard deadletter list shows them")
		}
		return err
	})
	return n, err
}

func withConsumer(ctx context.Context, s Settings, do func(*kafka.Consumer) error) error {
	if s.Config.Bus.Kind != config.BusKafka {
		return errors.New("there are dead letters only with bus.kind: kafka")
	}
	c, err := (&instance{Settings: s}).dialKafka(ctx)
	if err != nil {
		return err
	}
	return errors.Join(do(c), closeKafka(ctx, c))
}
