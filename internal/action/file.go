package action

import (
	"context"
	"errors"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// file puts what is due into the outboxes of its owners. What could not be filed is due again
// soon; what is filed is the outbox's to tell, and its docket is left alone meanwhile.
//
// An outbox beside gets only what one that reaches the owner personally holds already. Else a room
// might hear of a step, the case take that for told, and the owner never hear of it.
func (e *Engine) file(ctx context.Context, f *filing) error {
	var errs []error
	for key, entries := range f.entries {
		who := f.owners[key]
		personal, beside := e.sorted(who)
		held := entries
		if len(personal) > 0 {
			held = nil
		}
		for _, channel := range personal {
			taken, err := e.fileOn(ctx, who, channel, entries)
			held, errs = append(held, taken...), append(errs, err)
		}
		for _, channel := range beside {
			_, err := e.fileOn(ctx, who, channel, held)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// sorted are the channels that reach an owner personally, and those that do not.
func (e *Engine) sorted(o v1.Owner) (personal, beside []notify.Channel) {
	for _, c := range e.Channels {
		ids, _ := e.reach(c.Name(), o)
		if n := (outbox.Notice{Owner: o, Channel: c.Name(), Digest: notify.Digest{Mentions: ids}}); n.Beside() {
			beside = append(beside, c)
		} else {
			personal = append(personal, c)
		}
	}
	return personal, beside
}

// reach are the ids by which an owner is mentioned and tagged on a channel; none where nobody maps any.
func (e *Engine) reach(channel string, o v1.Owner) (mentions, tags []string) {
	if e.Reach == nil {
		return nil, nil
	}
	return e.Reach(channel, o)
}

// fileOn puts entries into one outbox, and returns those that it holds now: a full one takes no more.
func (e *Engine) fileOn(ctx context.Context, who v1.Owner, channel notify.Channel, entries []outbox.Entry) (held []outbox.Entry, err error) {
	if len(entries) == 0 {
		return nil, nil
	}
	box := outbox.BoxKey(who.Key(), channel.Name())
	var b outbox.Box
	err = e.register(ctx, box)
	if err == nil {
		b, err = outbox.File(ctx, e.Ledger, who, channel.Name(), entries, e.Now().UTC())
	}
	if err != nil {
		e.again(entries)
	}
	for _, entry := range entries {
		if err == nil && slices.Contains(b.Entries, entry) {
			held = append(held, entry)
		}
	}
	return held, errors.Join(err, e.wakeBox(ctx, box))
}

// register has an outbox found again by whoever has its bucket later. Of a single channel each
// docket that is not told leads there.
func (e *Engine) register(ctx context.Context, box string) error {
	if len(e.Channels) < 2 || !e.boxes.unregistered(box) {
		return nil
	}
	err := outbox.Register(ctx, e.Ledger, box)
	if err == nil {
		e.boxes.register(box)
	}
	return err
}

// again makes the dockets of entries due in a second.
func (e *Engine) again(entries []outbox.Entry) {
	for _, entry := range entries {
		e.index.open(entry.Docket, e.Now().Add(time.Second))
	}
}
