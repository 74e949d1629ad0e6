// Package outbox keeps what is to be told to each owner, and every notice ever tried.
//
// Purpose: a due case is filed into the outbox of (owner, channel); one digest at a time is
// composed from it, sent, and its outcome kept. The gate counts these notices.
//
// Concurrency: every change is one compare-and-set on a record of the ledger; whoever
// loses reads again.
//
// Guarantees: a notice's number and membership never change once it is composed. A notice
// is sending before its first byte leaves, so that a crash leaves "unknown", never a
// repeat. What surely failed is tried again under the same number.
//
// It will not: send, decide who is told, or change a docket.
package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
)

// Entry is one case that waits to be told.
type Entry struct {
	Docket  docket.Key     `json:"docket"`
	Case    string         `json:"case"`
	Purpose docket.Purpose `json:"purpose"`
	// First is true for the first warning of a case.
	First bool `json:"first,omitempty"`
	// Try is which telling of the case it is: the outboxes of all channels have the same.
	Try int `json:"try,omitempty"`
}

// Box is the outbox of one owner on one channel.
type Box struct {
	Owner   v1.Owner  `json:"owner"`
	Channel string    `json:"channel"`
	Next    int       `json:"next"` // the number of the next notice, from 1 (0: none yet)
	Entries []Entry   `json:"entries"`
	Since   time.Time `json:"since,omitzero"`   // when the first entry was filed
	LastTry time.Time `json:"lastTry,omitzero"` // of any notice
	// RestUntil holds first warnings back after more of them than one mail may name; set again
	// by each notice.
	RestUntil time.Time `json:"restUntil,omitzero"`
}

// Ready returns the entries that may be told now.
func (b Box) Ready(now time.Time) []Entry {
	if !now.Before(b.RestUntil) {
		return b.Entries
	}
	return slices.DeleteFunc(slices.Clone(b.Entries), func(e Entry) bool { return e.First })
}

// State is how far a notice got.
type State string

// The states of a notice. What surely failed is due again, until it is given up.
const (
	Due     State = "due"
	Sending State = "sending"
	Sent    State = "sent"
	Unknown State = "unknown"
	Failed  State = "failed"
)

const (
	// MaxTries in a row that tell nobody anything new, over about 45 minutes; then a notice is
	// given up.
	MaxTries = 12
	// MaxEntries bounds an outbox; what finds no room is due still, and filed again later.
	MaxEntries = 2000
	// MaxFirst bounds the first warnings among them: what is new must not crowd out the rest.
	MaxFirst = 1500
	// fair is what each cluster may file however much others have there, which nobody may tell
	// for now: who answers for them may be away. It holds for the first clusters, up to mostEntries.
	fair        = 100
	mostEntries = 2 * MaxEntries
)

// Notice is one digest, frozen, with its fate.
type Notice struct {
	Key      string        `json:"key"`
	State    State         `json:"state"`
	Owner    v1.Owner      `json:"owner"`
	Channel  string        `json:"channel"`
	Digest   notify.Digest `json:"digest"`
	Token    string        `json:"token,omitempty"`  // of the try under way
	Holder   string        `json:"holder,omitempty"` // the process that tries
	Tries    int           `json:"tries"`
	LastTry  time.Time     `json:"lastTry,omitzero"`
	NotUntil time.Time     `json:"notUntil,omitzero"` // the next try, after a failure
	Waited   time.Duration `json:"waited,omitempty"`  // the pauses that its channel's server asked for, together
	Detail   string        `json:"detail,omitempty"`
	Accepted []string      `json:"accepted,omitempty"`
	// Told are the cases that tries which were not confirmed told all the same; Untold those that
	// a notice which ended unknown surely did not tell.
	Told   []notify.Telling `json:"told,omitempty"`
	Untold []string         `json:"untold,omitempty"`
}

// BoxKey names an outbox.
func BoxKey(owner, channel string) string { return "outbox/" + channel + "/" + owner }

// NoticeKey names a notice.
func NoticeKey(owner, channel string, number int) string {
	return fmt.Sprintf("notice/%s/%s/%d", channel, owner, number)
}

// room reports whether one more entry may be filed.
func (b Box) room(e Entry) bool {
	most := MaxEntries
	if e.First {
		most = MaxFirst
	}
	if len(b.Entries) < most {
		return true
	}
	own := 0
	for _, other := range b.Entries {
		if other.Docket.Cluster == e.Docket.Cluster {
			own++
		}
	}
	return own < fair && len(b.Entries) < mostEntries
}

// File puts entries into an owner's outbox, each once.
func File(ctx context.Context, l ledger.Records, owner v1.Owner, channel string, entries []Entry, now time.Time) (Box, error) {
	return ledger.UpdateRecord(ctx, l, BoxKey(owner.Key(), channel), func(b *Box) (bool, error) {
		before := len(b.Entries)
		for _, e := range entries {
			if !slices.Contains(b.Entries, e) && b.room(e) {
				b.Entries = append(b.Entries, e)
			}
		}
		if before == len(b.Entries) {
			return false, nil
		}
		if before == 0 {
			b.Since = now
		}
		b.Owner, b.Channel, b.Next = owner, channel, max(b.Next, 1)
		return true, nil
	})
}

// Open freezes a digest as the box's next notice. If that number is taken (a crash came
// between the two records), the notice that has it is returned instead: adopt it.
func Open(ctx context.Context, l ledger.Records, b Box, d notify.Digest) (Notice, error) {
	key := NoticeKey(b.Owner.Key(), b.Channel, b.Next)
	d.ID, d.Number, d.Owner, d.To = key, b.Next, b.Owner, b.Owner.Emails
	n := Notice{Key: key, State: Due, Owner: b.Owner, Channel: b.Channel, Digest: d}
	value, err := json.Marshal(n)
	if err != nil {
		return n, fmt.Errorf("notice %s: %w", key, err)
	}
	if _, err := l.Put(ctx, ledger.Record{Key: key, Value: value}); errors.Is(err, ledger.ErrConflict) {
		return ledger.Read[Notice](ctx, l, key)
	} else if err != nil {
		return n, err
	}
	return n, nil
}

// Take removes from the box what a notice carries (and what is no longer due), and moves
// the number on.
func Take(ctx context.Context, l ledger.Records, n Notice, dropped []Entry, now time.Time) error {
	_, err := ledger.UpdateRecord(ctx, l, BoxKey(n.Owner.Key(), n.Channel), func(b *Box) (bool, error) {
		if n.Digest.Number > 0 && b.Next > n.Digest.Number {
			return false, nil
		}
		b.Entries = slices.DeleteFunc(b.Entries, func(e Entry) bool {
			return slices.Contains(dropped, e) || slices.ContainsFunc(n.Digest.Items, func(i notify.Item) bool {
				return i.Case == e.Case && i.Purpose == string(e.Purpose)
			})
		})
		b.Since = now
		if n.Digest.Number > 0 {
			b.Next = n.Digest.Number + 1
			b.LastTry, b.RestUntil = now, n.Digest.RestUntil
		}
		return true, nil
	})
	return err
}

// Begin marks a due notice as sending. False means that it is not to be sent (now).
func Begin(ctx context.Context, l ledger.Records, key, holder, token string, now time.Time) (Notice, bool, error) {
	begun := false
	n, err := ledger.UpdateRecord(ctx, l, key, func(n *Notice) (bool, error) {
		begun = n.State == Due && !n.Rests(now)
		if begun {
			n.State, n.Holder, n.Token, n.LastTry = Sending, holder, token, now
			n.Tries++
		}
		return begun, nil
	})
	return n, begun, err
}

// End records an outcome; only the try that holds the token may.
func End(ctx context.Context, l ledger.Records, key, token string, o notify.Outcome, now time.Time) (Notice, error) {
	return ledger.UpdateRecord(ctx, l, key, func(n *Notice) (bool, error) {
		if n.State != Sending || n.Token != token {
			return false, nil
		}
		n.Detail, n.Accepted = o.Detail, o.Accepted
		if n.told(o.Told) {
			n.Tries = 1 // it comes on: what counts are tries in a row that told nothing
		}
		switch o.State {
		case notify.Confirmed:
			n.State = Sent
		case notify.Failed:
			n.State, n.NotUntil = Due, now.Add(max(o.RetryAfter, backoff(n.Tries)))
			paused := o.RetryAfter > 0 && n.Waited >= notify.MaxPause // few tries, and a day of waiting
			n.Waited += o.RetryAfter
			if n.Tries >= MaxTries || paused {
				*n = n.GivenUp(o.Detail)
			}
		default:
			n.State, n.Untold = Unknown, n.butTold(o.Untold)
		}
		return true, nil
	})
}

// Lapse gives up a notice that is due; ok is false when another was quicker.
func Lapse(ctx context.Context, l ledger.Records, key, detail string) (n Notice, ok bool, err error) {
	n, err = ledger.UpdateRecord(ctx, l, key, func(n *Notice) (bool, error) {
		if ok = n.State == Due; ok {
			*n = n.GivenUp(detail)
		}
		return ok, nil
	})
	return n, ok && err == nil, err
}

// Abandon turns a try of another holder that began before a time into "unknown": its process
// is dead, or has given it up. With no holder, anybody's.
func Abandon(ctx context.Context, l ledger.Records, key, holder string, before time.Time) (Notice, error) {
	return ledger.UpdateRecord(ctx, l, key, func(n *Notice) (bool, error) {
		if n.State != Sending || n.Holder == holder || n.LastTry.After(before) {
			return false, nil
		}
		n.State, n.Detail = Unknown, "the try ended before its answer was on record"
		return true, nil
	})
}

// backoff is the pause after the n-th definite failure: 2 s, doubling, at most 15 minutes.
func backoff(n int) time.Duration {
	return min(15*time.Minute, 2*time.Second<<min(max(n-1, 0), 10))
}
