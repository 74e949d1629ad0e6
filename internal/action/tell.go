package action

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/crash"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/policy"
)

// sendLimit is when a try is given up as unknown.
const sendLimit = 30 * time.Second

// senders is how many notices go out on one channel side by side.
const senders = 4

// has reports whether a bucket is this process's to wake: where it is alone, there is no other
// to tell, also before and after it works.
func (e *Engine) has(bucket int) bool { return e.Alone || e.index.owns(bucket) }

// wakeBox has an outbox looked at: by us, or by whoever has its bucket.
func (e *Engine) wakeBox(ctx context.Context, box string) error {
	if e.has(docket.BucketOf(box)) {
		e.boxes.add(box)
		return nil
	}
	return e.Bus.Pass(ctx, v1.Message{Wake: &v1.Wake{V: v1.Version, Box: box}})
}

// wakeDocket has a docket looked at: by us, or by whoever has its bucket. One who is not told
// looks in some minutes.
func (e *Engine) wakeDocket(ctx context.Context, key docket.Key) {
	if e.has(key.Bucket()) {
		e.index.wake(key)
		return
	}
	if err := e.Bus.Pass(ctx, v1.Message{Wake: &v1.Wake{V: v1.Version, Docket: key.String()}}); err != nil && ctx.Err() == nil {
		e.Log.Warn("whoever has a docket was not told to look at it, and will in some minutes", "docket", key.String(), "err", err)
	}
}

// compose makes one digest from every outbox whose time has come, and sends it.
func (e *Engine) compose(ctx context.Context, controls map[string]policy.Controls) error {
	if e.Config.Enforce.Mode == config.ModeDryRun {
		return nil // nobody is told; what an outbox holds is judged again when somebody may be
	}
	var errs []error
	for _, boxKey := range e.boxes.list() {
		errs = append(errs, e.composeOne(ctx, boxKey, controls))
	}
	return errors.Join(errs...)
}

func (e *Engine) composeOne(ctx context.Context, boxKey string, controls map[string]policy.Controls) error {
	b, err := ledger.Read[outbox.Box](ctx, e.Ledger, boxKey)
	if err != nil {
		return err
	}
	now := e.Now().UTC()
	switch {
	case len(b.Entries) == 0:
		e.boxes.drop(boxKey)
		return nil
	case len(b.Ready(now)) == 0:
		return nil
	case now.Before(b.Since.Add(e.Config.Notify.Gather)), !b.LastTry.IsZero() && now.Before(b.LastTry.Add(e.Config.Notify.Gap)):
		return nil
	}
	digest, dropped, err := e.digest(ctx, b, controls)
	if err != nil {
		return err
	}
	switch {
	case len(digest.Items) == 0 && len(dropped) == 0: // all that may be told is for others to tell
		e.boxes.rest(boxKey, now.Add(longest))
		return nil
	case len(digest.Items) == 0:
		return outbox.Take(ctx, e.Ledger, outbox.Notice{Owner: b.Owner, Channel: b.Channel}, dropped, now)
	}
	n, err := outbox.Open(ctx, e.Ledger, b, digest)
	if err != nil {
		return err
	}
	if err := e.attach(ctx, n); err != nil {
		return err
	}
	if err := outbox.Take(ctx, e.Ledger, n, dropped, now); err != nil {
		return err
	}
	e.send(ctx, n)
	return nil
}

// attach ties every case of a notice to it, before its first byte leaves.
func (e *Engine) attach(ctx context.Context, n outbox.Notice) error {
	for key, refs := range members(n) {
		if err := e.tellFamily(ctx, key, n, refs); err != nil {
			return err
		}
		_, err := ledger.Update(ctx, e.Ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
			next, entries := docket.AttachNotice(d, n.Key, refs, e.Now().UTC())
			return next, entries, entries != nil, nil
		})
		if err != nil {
			return err
		}
		e.wakeDocket(ctx, key) // it is watched until the notice has ended
	}
	return nil
}

// members returns the cases of a notice by docket.
func members(n outbox.Notice) map[docket.Key]map[string]docket.NoticeRef {
	out := map[docket.Key]map[string]docket.NoticeRef{}
	for _, item := range n.Digest.Items {
		key := keyFrom(item.Docket)
		if out[key] == nil {
			out[key] = map[string]docket.NoticeRef{}
		}
		out[key][item.Case] = docket.NoticeRef{Purpose: docket.Purpose(item.Purpose), N: item.N, Try: item.Try, Beside: n.Beside(),
			Owner: n.Owner.Key(), ActAt: item.ActAt()}
	}
	return out
}

// settleNotices takes over how the notices of a docket ended; one that is due is sent, one
// that nobody is sending any more is unknown. Only the scheduler starts sends and calls this,
// so that no send begins in between.
func (e *Engine) settleNotices(ctx context.Context, d docket.Docket) error {
	key := d.Key
	for _, noticeKey := range d.Pending() {
		holder := e.Holder
		if !e.boxes.isSending(noticeKey) {
			holder = "" // a try of ours that is over, though its outcome could not be kept
		}
		n, err := outbox.Abandon(ctx, e.Ledger, noticeKey, holder, e.dead())
		if err != nil {
			return err
		}
		switch n.State {
		case "":
			// It was deleted as over, so nobody will ever say how it ended.
			n.Key, n.Detail = noticeKey, "the notice is no longer on record"
			if err := e.settleNotice(ctx, key, n); err != nil {
				return err
			}
		case outbox.Due:
			if e.channel(n.Channel) == nil {
				// Nobody will ever send it: it must not hold the ladder.
				if err := e.settle(ctx, key, n.GivenUp("the channel is no longer configured")); err != nil {
					return err
				}
				continue
			}
			if !e.addressed(d, n) {
				// The new owner is not to wait for a mailbox that is no longer theirs.
				if err := e.settle(ctx, key, n.GivenUp("the owner changed")); err != nil {
					return err
				}
				continue
			}
			if err := e.resume(ctx, n); err != nil {
				return err
			}
		case outbox.Sent, outbox.Unknown, outbox.Failed:
			if err := e.settleNotice(ctx, key, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// dead is since when a try of another process counts as ended: where there is no other, from
// now on; else one that began so long ago has been given up by its own sender.
func (e *Engine) dead() time.Time {
	if e.Alone {
		return e.Now()
	}
	return e.Now().Add(-2 * sendLimit)
}

// addressed reports whether a notice goes to whom a case of the docket is told today.
func (e *Engine) addressed(d docket.Docket, n outbox.Notice) bool {
	for i := range d.Cases {
		ref := d.Cases[i].Notice(n.Key)
		if ref == nil {
			continue
		}
		to := e.ownerOf(d, d.Cases[i].Rule)
		if ref.Purpose == docket.NeedsHuman {
			to = e.platform()
		}
		if n.Owner.Key() == to.Key() {
			return true
		}
	}
	return false
}

// sendAgain resumes the notices that others told us are due.
func (e *Engine) sendAgain(ctx context.Context) error {
	var errs []error
	for _, key := range e.boxes.takeAgain() {
		n, err := ledger.Read[outbox.Notice](ctx, e.Ledger, key)
		if err == nil && n.State == outbox.Due {
			err = e.resume(ctx, n)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// resume sends a due notice, once its outbox has let go of it; until then composing adopts
// it first. Only who has the outbox sends.
func (e *Engine) resume(ctx context.Context, n outbox.Notice) error {
	box := outbox.BoxKey(n.Owner.Key(), n.Channel)
	if !e.has(docket.BucketOf(box)) {
		return e.Bus.Pass(ctx, v1.Message{Wake: &v1.Wake{V: v1.Version, Box: box, Notice: n.Key}})
	}
	b, err := ledger.Read[outbox.Box](ctx, e.Ledger, box)
	if err != nil {
		return err
	}
	if b.Next <= n.Digest.Number {
		if err := e.attach(ctx, n); err != nil {
			return err
		}
		if err := outbox.Take(ctx, e.Ledger, n, nil, e.Now().UTC()); err != nil {
			return err
		}
	}
	if !n.Rests(e.Now()) {
		e.send(ctx, n)
	}
	return nil
}

// send tries a notice once, beside everything else; not in a dry run, which tells nobody.
func (e *Engine) send(ctx context.Context, n outbox.Notice) {
	channel, slots := e.channel(n.Channel), e.slots(n.Channel)
	box := outbox.BoxKey(n.Owner.Key(), n.Channel)
	if channel == nil || e.Config.Enforce.Mode == config.ModeDryRun || e.inDoubt(n) || ctx.Err() != nil || !e.boxes.startSending(n.Key, box) {
		return
	}
	e.senders.Go(func() {
		slots <- struct{}{}
		defer func() { <-slots }()
		defer e.boxes.stopSending(n.Key)
		if ctx.Err() != nil {
			return // asked to stop while it waited for its turn: the notice stays due
		}
		// A send that has begun is finished even when we are asked to stop.
		try, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendLimit)
		defer cancel()
		if err := e.try(try, channel, n); err != nil {
			e.Log.Error("a notice stays open; it is settled next", "notice", n.Key, "err", err)
		}
	})
}

func (e *Engine) try(ctx context.Context, channel notify.Channel, n outbox.Notice) error {
	since, until, paused, err := outbox.Paused(ctx, e.Ledger, n.Channel, e.Now())
	if err != nil {
		return err
	}
	if paused {
		return e.paused(ctx, n, since, until)
	}
	token := uuid.NewString()
	n, begun, err := outbox.Begin(ctx, e.Ledger, n.Key, e.Holder, token, e.Now().UTC())
	if err != nil || !begun {
		return err
	}
	crash.At(crash.BeforeSend)
	began := time.Now()
	outcome := channel.Send(ctx, n.Digest)
	e.metrics.sent(n.Channel, time.Since(began))
	crash.At(crash.AfterSend)
	// The outcome is kept though the time for sending is over.
	keep, cancel := context.WithTimeout(context.WithoutCancel(ctx), sendLimit)
	defer cancel()
	if outcome.RetryAfter > 0 {
		err = outbox.Pause(keep, e.Ledger, n.Channel, e.Now().UTC(), outcome.RetryAfter)
	}
	n, ended := outbox.End(keep, e.Ledger, n.Key, token, outcome, e.Now().UTC())
	if err = errors.Join(err, ended); err != nil {
		return err
	}
	e.say(n, outcome)
	return e.conclude(keep, n)
}

// paused leaves a notice that its channel's server asked us to hold. It is given up when the server
// did nothing else for a day of its life: three of those in a row are a person's to see to.
func (e *Engine) paused(ctx context.Context, n outbox.Notice, since, until time.Time) error {
	if count, say := e.sparse.ask("pause/"+n.Channel, e.Now()); say {
		e.Log.Warn("a channel's server asked for a pause; notices wait", "channel", n.Channel, "since", since, "until", until, "times", count, "next", tryIt(n.Channel))
	}
	if e.Now().Sub(since) <= notify.MaxPause || e.Now().Sub(n.Digest.At) <= notify.MaxPause {
		return nil // it stays due
	}
	n, lapsed, err := outbox.Lapse(ctx, e.Ledger, n.Key, "the channel's server asked for pauses for more than a day")
	if err != nil || !lapsed {
		return err
	}
	e.say(n, notify.Outcome{State: notify.Failed, Detail: n.Detail})
	return e.conclude(ctx, n)
}

// conclude settles the cases of a notice whose try has ended.
func (e *Engine) conclude(keep context.Context, n outbox.Notice) error {
	e.metrics.ended(n)
	for key := range members(n) {
		if n.State != outbox.Due {
			if err := e.settleNotice(keep, key, n); err != nil {
				return err
			}
		}
		e.wakeDocket(keep, key)
	}
	return nil
}

func (e *Engine) settleNotice(ctx context.Context, key docket.Key, n outbox.Notice) error {
	if err := e.settleFamily(ctx, key, n); err != nil {
		return err
	}
	return e.settle(ctx, key, n)
}

func (e *Engine) settle(ctx context.Context, key docket.Key, n outbox.Notice) error {
	_, err := ledger.Update(ctx, e.Ledger, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		at := e.Now().UTC()
		if d.ThrowAway(at) && !n.LastTry.IsZero() {
			at = n.LastTry // the wait counts from there, however late a root takes the notice over
		}
		next, entries := docket.SettleNotice(d, n.Key, n.Ending(), at)
		return next, entries, entries != nil, nil
	})
	return err
}

func (e *Engine) channel(name string) notify.Channel {
	for _, c := range e.Channels {
		if c.Name() == name {
			return c
		}
	}
	return nil
}

// slots bounds the sends of one channel: each has its own, so that one that hangs holds up no
// other.
func (e *Engine) slots(channel string) chan struct{} {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.sending[channel] == nil {
		e.sending[channel] = make(chan struct{}, senders)
	}
	return e.sending[channel]
}
