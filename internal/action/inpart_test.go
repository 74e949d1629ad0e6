package action

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// inPart is a room that tells the cases of some roots, and then fails.
type inPart struct {
	*room
	told   []string // of these roots
	unsaid []string // and these are surely not told, where it is unknown
}

func (p *inPart) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	out := p.room.Send(ctx, d)
	for _, item := range d.Items {
		if out.State != notify.Confirmed && slices.Contains(p.told, item.Root.UID) {
			out.Told = append(out.Told, notify.Telling{Case: item.Case, For: d.Mentions})
		}
		if out.State == notify.Unknown && slices.Contains(p.unsaid, item.Root.UID) {
			out.Untold = append(out.Untold, item.Case)
		}
	}
	return out
}

// A notice that was told in part, and is given up or of unknown fate, is accounted for case by
// case: what was told is neither repeated nor counted, what was not is due again.
func TestATellingInPart(t *testing.T) {
	for name, script := range map[string][]notify.OutcomeState{
		"given up": slices.Repeat([]notify.OutcomeState{notify.Failed}, outbox.MaxTries),
		"unknown":  {notify.Unknown},
		"failed, then unknown, with nothing said of the told": {notify.Failed, notify.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			w, all := rooms(t, []string{"slack"}, map[string][]string{"slack": {"U1"}})
			slack := &inPart{all["slack"], []string{"told"}, []string{"untold"}}
			slack.script = script
			w.engine.Channels = []notify.Channel{slack}
			w.sees("told")
			w.sees("untold")
			w.pass(3 * time.Hour)
			first := slack.tries(docket.Warning)[0].digest.ID
			result := func(uid string) docket.Result { c := w.only(uid); return c.Notice(first).Result }
			if result("told") != docket.Sent || result("untold") != docket.FailedSend {
				t.Errorf("told is %s, untold %s", result("told"), result("untold"))
			}
			w.pass(time.Hour)
			var after []string
			for _, s := range slack.sent {
				for _, item := range s.digest.Items {
					if s.digest.ID != first {
						after = append(after, fmt.Sprint(item.Root.UID, " ", item.N))
					}
				}
			}
			if !slices.Equal(after, []string{"untold 1"}) {
				t.Errorf("afterwards it told %v", after)
			}
			told, untold := w.only("told"), w.only("untold")
			if w.confirmed(told) != 1 || w.confirmed(untold) != 1 {
				t.Errorf("the gate sees %d and %d", w.confirmed(told), w.confirmed(untold))
			}
			if n, _ := told.Count(ada().Key()); n != 1 {
				t.Errorf("%d count", n)
			}
		})
	}
}

// A notice that was told in part when its channel was taken away is not told again of that part.
func TestATellingInPartWhoseChannelIsGone(t *testing.T) {
	w, all := rooms(t, []string{"slack"}, map[string][]string{"slack": {"U1"}})
	slack := &inPart{all["slack"], []string{"told"}, nil}
	slack.script = slices.Repeat([]notify.OutcomeState{notify.Failed}, 1000)
	w.engine.Channels = []notify.Channel{slack}
	w.sees("told")
	w.sees("untold")
	w.pass(10 * time.Minute)
	w.start() // with mail alone
	w.sees("told")
	w.sees("untold")
	w.pass(2 * time.Hour)
	for uid, want := range map[string]docket.Result{"told": docket.Sent, "untold": docket.FailedSend} {
		if c := w.only(uid); c.Notices[0].Result != want {
			t.Errorf("%s is %s", uid, c.Notices[0].Result)
		}
	}
}

// absent is a chat in which the owner is mapped, and not in the room: it is taken for the room alone.
type absent struct{ *room }

func (a *absent) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	out := a.mail.Send(ctx, d)
	if out.State == notify.Confirmed {
		out.Accepted = []string{a.name}
	}
	return out
}

// Whoever is mentioned in a room that they are not in is not warned: policy and the gate agree.
func TestAMentionThatNobodySeesWarnsNobody(t *testing.T) {
	w, all := rooms(t, []string{"slack"}, map[string][]string{"slack": {"U1"}})
	w.engine.Channels = []notify.Channel{&absent{all["slack"]}}
	w.sees("a")
	w.pass(10 * 24 * time.Hour)
	c := w.only("a")
	if confirmed, tries := c.Count(ada().Key()); confirmed != 0 || tries != 5 || w.confirmed(c) != 0 || len(w.gate.calls) != 0 || c.Plan.Reason != "needs-human" {
		t.Errorf("%d confirmed in %d tries, the gate sees %d; %d acts; %+v", confirmed, tries, w.confirmed(c), len(w.gate.calls), c.Plan)
	}
	w, all = rooms(t, []string{"slack", "email"}, map[string][]string{"slack": {"U1"}})
	w.engine.Channels[0] = &absent{all["slack"]}
	w.sees("a")
	w.pass(16 * time.Hour)
	c = w.only("a")
	if confirmed, tries := c.Count(ada().Key()); confirmed != 3 || tries != 3 || w.confirmed(c) != 3 || len(w.gate.calls) != 1 {
		t.Errorf("beside mail: %d confirmed in %d tries, the gate sees %d; %d acts", confirmed, tries, w.confirmed(c), len(w.gate.calls))
	}
}

// refusing is a ledger that does not take one outbox.
type refusing struct {
	ledger.Store
	key string
}

func (r *refusing) Put(ctx context.Context, rec ledger.Record) (int64, error) {
	if r.key != "" && strings.HasPrefix(rec.Key, r.key) {
		return 0, errors.New("not now")
	}
	return r.Store.Put(ctx, rec)
}

// A room hears of a step only when an outbox that reaches the owner holds it: else the room's
// telling would stand for one that never was.
func TestARoomDoesNotTellInTheOwnersPlace(t *testing.T) {
	w, all := rooms(t, []string{"slack", "webhook/a", "email"}, nil)
	store := &refusing{w.ledger, "outbox/email/"}
	w.engine.Ledger = store
	w.sees("a")
	for range 20 {
		w.clock.add(step)
		_ = w.engine.round(w.Context())
		w.engine.senders.Wait()
	}
	for name, r := range all {
		if n := len(r.sent); n != 0 {
			t.Errorf("%s told %d times, and no mail could be filed", name, n)
		}
	}
	store.key = ""
	w.pass(16 * time.Hour)
	for name, r := range all {
		if len(r.tries(docket.Warning)) != 3 || len(r.tries(docket.Enforced)) != 1 {
			t.Errorf("%s told %d warnings, and %d acts", name, len(r.tries(docket.Warning)), len(r.tries(docket.Enforced)))
		}
	}
}

// An outbox that is full takes no more: nor does one beside, of the same.
func TestAFullOutboxFillsNoneBeside(t *testing.T) {
	w, _ := rooms(t, []string{"slack", "email"}, nil)
	f := newFiling()
	for i := range outbox.MaxFirst + 10 {
		f.add(ada(), outbox.Entry{Docket: docket.Key{Cluster: cluster().UID, Root: fmt.Sprint(i)}, Case: fmt.Sprint("c-", i), Purpose: docket.Warning, First: true, Try: 1})
	}
	_, err := outbox.File(t.Context(), w.ledger, ada(), notify.Email, f.entries[ada().Key()], w.now())
	must(t, err)
	late := newFiling()
	late.add(ada(), outbox.Entry{Docket: keyOf("late"), Case: "c-late", Purpose: docket.Warning, First: true, Try: 1})
	must(t, w.engine.file(w.Context(), late))
	b, err := ledger.Read[outbox.Box](t.Context(), w.ledger, outbox.BoxKey(ada().Key(), "slack"))
	if must(t, err); len(b.Entries) != 0 {
		t.Errorf("the room's outbox holds %v", b.Entries)
	}
	must(t, w.engine.file(w.Context(), f))
	b, err = ledger.Read[outbox.Box](t.Context(), w.ledger, outbox.BoxKey(ada().Key(), "slack"))
	if must(t, err); len(b.Entries) != outbox.MaxFirst {
		t.Errorf("the room's outbox holds %d, mail's %d", len(b.Entries), outbox.MaxFirst)
	}
}
