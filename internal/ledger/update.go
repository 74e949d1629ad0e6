package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/k8guard/k8guard/internal/docket"
)

// attempts bounds how often a change is tried against other writers.
const attempts = 50

// Change makes the next state of a docket and says what to record. Changed false stores
// nothing.
type Change func(docket.Docket) (next docket.Docket, entries []docket.Entry, changed bool, err error)

// Update loads a docket, changes it and stores it, again from the start when another
// writer was faster. It returns the docket as stored.
func Update(ctx context.Context, l Dockets, key docket.Key, change Change) (docket.Docket, error) {
	for range attempts {
		d, err := l.Load(ctx, key)
		if err != nil {
			return d, err
		}
		next, entries, changed, err := change(d)
		if err != nil || !changed {
			return d, err
		}
		next.Key = key
		version, err := l.CompareAndSet(ctx, next, entries)
		if err == nil {
			next.Version = version
			return next, nil
		}
		if !errors.Is(err, ErrConflict) {
			return d, err
		}
	}
	return docket.Docket{}, fmt.Errorf("docket %s: %w after %d tries", key, ErrConflict, attempts)
}

// UpdateRecord does the same for a record whose value is JSON of T; an absent one begins
// as the zero T.
func UpdateRecord[T any](ctx context.Context, l Records, key string, change func(*T) (changed bool, err error)) (T, error) {
	var value T
	for range attempts {
		r, err := l.Get(ctx, key)
		if err != nil {
			return value, err
		}
		value = *new(T)
		if err := decode(r, &value); err != nil {
			return value, err
		}
		changed, err := change(&value)
		if err != nil || !changed {
			return value, err
		}
		if r.Value, err = json.Marshal(value); err != nil {
			return value, fmt.Errorf("record %s: %w", key, err)
		}
		_, err = l.Put(ctx, r)
		if err == nil || !errors.Is(err, ErrConflict) {
			return value, err
		}
	}
	return value, fmt.Errorf("record %s: %w after %d tries", key, ErrConflict, attempts)
}

// Read returns a record's value; the zero T when it is absent.
func Read[T any](ctx context.Context, l Records, key string) (T, error) {
	var value T
	r, err := l.Get(ctx, key)
	if err != nil {
		return value, err
	}
	return value, decode(r, &value)
}

func decode(r Record, into any) error {
	if r.Version == 0 {
		return nil
	}
	if err := json.Unmarshal(r.Value, into); err != nil {
		return fmt.Errorf("record %s: %w", r.Key, err)
	}
	return nil
}
