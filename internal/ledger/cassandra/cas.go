package cassandra

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	// remembered is how many writes a docket or record remembers: what was settled too late
	// to be among them stays unknown.
	remembered = 32
	// fenceKept is how long a fence stands where there is nothing yet, in seconds.
	fenceKept = 24 * 60 * 60
)

// head is what a docket or record says of its last write.
type head struct {
	version int64
	writeID gocql.UUID // zero: none
	writes  []gocql.UUID
}

// target is one docket or record that is written by compare-and-set.
type target interface {
	// fence puts a write ID in the place of the one in the head, and nothing else, if both
	// version and ID still are that.
	fence(ctx context.Context, was head, id gocql.UUID) (applied bool, err error)
	// serial reads the head after all that was proposed so far.
	serial(ctx context.Context) (head, error)
}

// push is the list of writes after one more.
func (h head) push(id gocql.UUID) []gocql.UUID {
	all := append([]gocql.UUID{id}, h.writes...)
	return all[:min(len(all), remembered)]
}

// nullable is how a condition says "has none".
func nullable(id gocql.UUID) any {
	if id == (gocql.UUID{}) {
		return nil
	}
	return id
}

func (h head) expected() any {
	if h.version == 0 {
		return nil
	}
	return h.version
}

// change sends one compare-and-set, once, and finds out what became of it.
func (s *Store) change(ctx context.Context, t target, was head, id gocql.UUID, send func(context.Context) (bool, error)) error {
	applied, err := send(ctx)
	switch {
	case err == nil && applied:
		return nil
	case err == nil:
		return ledger.ErrConflict
	case refused(err):
		return err
	}
	err = s.settle(ctx, t, was, id, err)
	s.log.Info("the answer to a write was lost", "stored", err == nil, "outcome", err)
	return err
}

// refused says that the statement was certainly not carried out.
func refused(err error) bool {
	if errors.Is(err, gocql.ErrNoConnections) || errors.Is(err, gocql.ErrSessionClosed) {
		return true // it was never sent
	}
	var answer gocql.RequestError
	if !errors.As(err, &answer) {
		return false
	}
	return slices.Contains([]int{gocql.ErrCodeInvalid, gocql.ErrCodeSyntax, gocql.ErrCodeUnauthorized,
		gocql.ErrCodeCredentials, gocql.ErrCodeOverloaded, gocql.ErrCodeConfig}, answer.Code())
}

// settle finds out what became of a write whose answer was lost. It goes on when ctx has
// ended: what is known is worth more than a quick end.
//
// A read alone could not tell "not stored" from "not yet stored": the request may still lie
// in a server that stands still. So the write ID on which the request depends is taken away.
func (s *Store) settle(ctx context.Context, t target, was head, id gocql.UUID, cause error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*s.settings.Timeout)
	defer cancel()
	var fences []gocql.UUID
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		fence := gocql.MustRandomUUID()
		fences = append(fences, fence)
		applied, err := t.fence(ctx, was, fence)
		if err == nil && applied {
			return fmt.Errorf("%w: its answer was lost, and it was not stored: %w", ledger.ErrConflict, cause)
		}
		if err == nil {
			var now head
			if now, err = t.serial(ctx); err == nil {
				return verdict(was, now, id, fences, cause)
			}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w; asked again: %w", ErrUnknown, cause, err)
		case <-time.After(wait):
		}
	}
}

// verdict tells from a later head whether the write with this ID was stored upon was.
func verdict(was, now head, id gocql.UUID, fences []gocql.UUID, cause error) error {
	switch {
	case slices.Contains(now.writes, id):
		return nil
	case now.version == was.version, slices.Contains(fences, now.writeID), now.version < was.version,
		now.version-was.version <= int64(len(now.writes)):
		return fmt.Errorf("%w: its answer was lost, and it was not stored: %w", ledger.ErrConflict, cause)
	}
	return fmt.Errorf("%w: %d others were stored since: %w", ErrUnknown, now.version-was.version, cause)
}
