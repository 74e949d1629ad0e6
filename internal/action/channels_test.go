package action

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// room is a channel that is no mail: it takes notices for a place, and for those it mentions.
type room struct {
	*mail
	name string
}

func (r *room) Name() string { return r.name }

func (r *room) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	out := r.mail.Send(ctx, d)
	if out.State == notify.Confirmed {
		out.Accepted = append([]string{r.name}, d.Mentions...)
	}
	return out
}

// rooms is a world whose channels are mail, where it is named, and rooms.
func rooms(t *testing.T, names []string, reach map[string][]string, change ...func(*config.Config)) (*world, map[string]*room) {
	w := newWorld(t, change...)
	all := map[string]*room{}
	w.engine.Channels = nil
	for _, name := range names {
		if name == notify.Email {
			w.engine.Channels = append(w.engine.Channels, w.mail)
			all[name] = &room{w.mail, name}
			continue
		}
		all[name] = &room{&mail{w: w}, name}
		w.engine.Channels = append(w.engine.Channels, all[name])
	}
	w.engine.Reach = func(channel string, o v1.Owner) ([]string, []string) {
		if !o.Platform {
			return nil, nil
		}
		return reach[channel], nil
	}
	return w, all
}

// confirmed counts, as the gate does, the warnings of a case that count.
func (w *world) confirmed(c docket.Case) int {
	w.Helper()
	numbers := map[int]bool{}
	for _, ref := range c.Notices {
		n, err := ledger.Read[outbox.Notice](w.Context(), w.ledger, ref.Key)
		must(w, err)
		if ref.Purpose == docket.Warning && n.Counts(cmp.Or(ref.Case, c.ID)) {
			numbers[ref.N] = true
		}
	}
	return len(numbers)
}

// Each channel tells each step once; together they are one warning, with one number.
func TestChannelsCarryOneLadder(t *testing.T) {
	for name, reach := range map[string]map[string][]string{"a room": nil, "a room that reaches the owner": {"slack": {"U1"}}} {
		t.Run(name, func(t *testing.T) {
			w, all := rooms(t, []string{"webhook/a", "email", "slack"}, reach)
			w.sees("a")
			w.pass(16 * time.Hour)
			c := w.only("a")
			if confirmed, tries := c.Count(ada().Key()); confirmed != 3 || tries != 3 || w.confirmed(c) != 3 || len(w.gate.calls) != 1 {
				t.Fatalf("%d confirmed in %d tries, the gate sees %d; %d acts", confirmed, tries, w.confirmed(c), len(w.gate.calls))
			}
			for name, r := range all {
				var numbers []int
				for _, s := range r.tries(docket.Warning) {
					numbers = append(numbers, s.digest.Items[0].N)
				}
				if !slices.Equal(numbers, []int{1, 2, 3}) || len(r.tries(docket.Enforced)) != 1 {
					t.Errorf("%s told warnings %v, and %d acts", name, numbers, len(r.tries(docket.Enforced)))
				}
			}
		})
	}
}

// A room, a webhook and Alertmanager warn nobody: however much they take, nothing is acted on.
func TestRoomsNeverWarn(t *testing.T) {
	w, all := rooms(t, []string{"slack", "hipchat", "webhook/email", "alertmanager"}, nil)
	w.sees("a")
	w.pass(10 * 24 * time.Hour)
	c := w.only("a")
	if confirmed, tries := c.Count(ada().Key()); confirmed != 0 || tries != 5 || w.confirmed(c) != 0 || len(w.gate.calls) != 0 || c.Plan.Reason != "needs-human" {
		t.Errorf("%d confirmed in %d tries, the gate sees %d; %d acts; %+v", confirmed, tries, w.confirmed(c), len(w.gate.calls), c.Plan)
	}
	for name, r := range all {
		if n := len(r.tries(docket.Warning)); n != 5 {
			t.Errorf("%s told %d times", name, n)
		}
	}
}

// An owner whom the platform's record reaches in a chat may be warned there alone.
func TestAMappedOwnerIsWarnedInAChat(t *testing.T) {
	w, _ := rooms(t, []string{"alertmanager", "slack"}, map[string][]string{"slack": {"U1"}})
	w.sees("a")
	w.pass(16 * time.Hour)
	c := w.only("a")
	if confirmed, tries := c.Count(ada().Key()); confirmed != 3 || tries != 3 || w.confirmed(c) != 3 || len(w.gate.calls) != 1 {
		t.Errorf("%d confirmed in %d tries, the gate sees %d; %d acts", confirmed, tries, w.confirmed(c), len(w.gate.calls))
	}
}

// In safe mode a ladder ends when the rooms were told, and bothers no person.
func TestALadderThatOnlyTellsMayEndInARoom(t *testing.T) {
	w, all := rooms(t, []string{"slack"}, nil, func(c *config.Config) { c.Enforce.Mode = config.ModeSafe })
	w.sees("a")
	w.pass(3 * 24 * time.Hour)
	c := w.only("a")
	if n := len(all["slack"].tries(docket.Warning)); n != 3 || c.Plan.Reason != "safe-mode" {
		t.Errorf("told %d times, %+v", n, c.Plan)
	}
	w.sees("a", clean)
	w.pass(time.Hour * 2)
	if n := len(all["slack"].tries(docket.AllClear)); n != 1 || !w.only("a").ToldResolved {
		t.Errorf("%d all-clears, %+v", n, w.only("a"))
	}
}

// What fails on one channel keeps no other from telling, and the ladder from going on.
func TestAFailingChannelHoldsUpNoOther(t *testing.T) {
	for _, failing := range []string{"webhook/a", "slack"} {
		for _, state := range []notify.OutcomeState{notify.Failed, notify.Unknown} {
			t.Run(failing+" "+string(state), func(t *testing.T) {
				w, all := rooms(t, []string{"slack", "webhook/a", "email"}, map[string][]string{"slack": {"U1"}})
				all[failing].script = slices.Repeat([]notify.OutcomeState{state}, 200)
				w.sees("a")
				w.pass(16 * time.Hour)
				c := w.only("a")
				if confirmed, tries := c.Count(ada().Key()); confirmed != 3 || tries != 3 || len(w.gate.calls) != 1 {
					t.Errorf("%d confirmed in %d tries, %d acts: %+v", confirmed, tries, len(w.gate.calls), c.Plan)
				}
				if n := len(w.mail.tries(docket.Warning)); n != 3 {
					t.Errorf("%d mails", n)
				}
			})
		}
	}
}

// Mail that fails is not made up for by a room: nothing is acted on.
func TestARoomDoesNotStandInForMail(t *testing.T) {
	w, all := rooms(t, []string{"slack", "email"}, nil)
	w.mail.script = slices.Repeat([]notify.OutcomeState{notify.Failed}, 1000)
	w.sees("a")
	w.pass(4 * 24 * time.Hour)
	c := w.only("a")
	if confirmed, _ := c.Count(ada().Key()); confirmed != 0 || len(w.gate.calls) != 0 || len(all["slack"].tries(docket.Warning)) == 0 {
		t.Errorf("%d confirmed, %d acts, %d told in the room", confirmed, len(w.gate.calls), len(all["slack"].tries(docket.Warning)))
	}
}

// hanging is a channel that answers nothing until its time is over.
type hanging struct {
	name string
	mu   sync.Mutex
	n    int
}

func (h *hanging) Name() string { return h.name }

func (h *hanging) Send(ctx context.Context, _ notify.Digest) notify.Outcome {
	h.mu.Lock()
	h.n++
	h.mu.Unlock()
	<-ctx.Done()
	return notify.Outcome{State: notify.Unknown, Detail: "it took too long"}
}

// A channel that hangs, with more owners to tell than it has slots, delays no mail: the real
// scheduler, in a bubble of time.
func TestAHangingChannelDelaysNoMail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fast)
		w.now = time.Now
		w.start()
		h := &hanging{name: "webhook/slow"}
		w.engine.Channels = []notify.Channel{h, w.mail}
		w.engine.index.setAudit(cluster(), audit{judged: 1000, at: w.now()})
		stop := w.running()
		began := w.now()
		for n := range 3 * senders {
			owner := v1.Owner{Emails: []string{string(rune('a'+n)) + "@example.com"}, Platform: true}
			w.publish(w.observation(string(rune('a'+n)), func(o *v1.Observation) { o.Owner = owner }))
		}
		time.Sleep(6 * time.Second)
		told := w.mail.tries(docket.Warning)
		if len(told) != 3*senders {
			t.Errorf("%d mails after 6 s, want %d", len(told), 3*senders)
		}
		for _, s := range told {
			if s.at.Sub(began) > 5*time.Second {
				t.Errorf("a mail went out after %s", s.at.Sub(began))
			}
		}
		time.Sleep(2 * time.Minute)
		stop()
		if h.n < 3*senders {
			t.Errorf("the channel that hangs was tried %d times", h.n)
		}
	})
}

// A notice that was on its way on a channel which is configured no more does not hold the ladder.
func TestAChannelThatIsTakenAway(t *testing.T) {
	w, all := rooms(t, []string{"slack"}, map[string][]string{"slack": {"U1"}})
	all["slack"].script = slices.Repeat([]notify.OutcomeState{notify.Failed}, 1000)
	w.sees("a")
	w.pass(10 * time.Minute)
	if c := w.only("a"); !c.Telling() || len(all["slack"].tries(docket.Warning)) == 0 {
		t.Fatalf("%+v", c)
	}
	w.start() // with mail alone
	w.sees("a")
	w.pass(16 * time.Hour)
	if c := w.only("a"); w.confirmed(c) != 3 || len(w.gate.calls) != 1 {
		t.Errorf("%d confirmed, %d acts: %+v", w.confirmed(c), len(w.gate.calls), c.Plan)
	}
}

// busy is a room whose server asks for a pause.
type busy struct {
	*room
	after time.Duration
}

func (b *busy) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	out := b.room.Send(ctx, d)
	if out.State == notify.Failed {
		out.RetryAfter = b.after
	}
	return out
}

// The pause that a server asks for is kept, also by a process that was not there when it asked.
func TestRetryAfterOutlivesARestart(t *testing.T) {
	w, all := rooms(t, []string{"slack"}, map[string][]string{"slack": {"U1"}})
	slow := &busy{all["slack"], 3 * time.Hour}
	slow.script = []notify.OutcomeState{notify.Failed}
	w.engine.Channels = []notify.Channel{slow}
	w.sees("a")
	w.pass(10 * time.Minute)
	w.start()
	w.engine.Channels = []notify.Channel{slow}
	w.pass(4 * time.Hour)
	sent := slow.tries(docket.Warning)
	if len(sent) != 2 || sent[1].at.Sub(sent[0].at) < slow.after || sent[1].digest.ID != sent[0].digest.ID {
		t.Errorf("%d tries: %+v", len(sent), sent)
	}
}

// A pause is the server's, not one notice's: nothing else goes out on its channel meanwhile, of
// whomever, also from a process that comes after; on other channels all does.
func TestAPauseIsTheWholeChannels(t *testing.T) {
	w, all := rooms(t, []string{"slack", "email"}, map[string][]string{"slack": {"U1"}})
	slow := &busy{all["slack"], 3 * time.Hour}
	slow.script = []notify.OutcomeState{notify.Failed}
	w.engine.Channels[0] = slow
	channels := w.engine.Channels
	w.sees("a")
	w.pass(10 * time.Minute)
	w.sees("b", bob)
	w.pass(10 * time.Minute)
	w.start()
	w.engine.Channels = channels
	w.sees("c", bob)
	w.pass(2 * time.Hour)
	if n := len(slow.sent); n != 1 {
		t.Errorf("%d tries within the pause: %+v", n-1, slow.sent)
	}
	if n := len(w.mail.tries(docket.Warning)); n != 3 {
		t.Errorf("%d mails meanwhile, want 3", n)
	}
	w.pass(2 * time.Hour)
	found := map[string]int{}
	for _, s := range slow.sent[1:] {
		for uid := range roots(s.digest) {
			found[uid]++
		}
	}
	if found["a"] != 1 || found["b"] != 1 || found["c"] != 1 {
		t.Errorf("afterwards it heard of %v", found)
	}
}

// The boxes of one owner's channels may lie with other replicas than the docket, and than each
// other: each channel still tells each step once.
func TestReplicasTellOnEveryChannel(t *testing.T) {
	h := newHall(t, 3)
	all := map[string]*room{}
	var channels []notify.Channel
	for _, name := range []string{"slack", "webhook/a", "webhook/b", "alertmanager"} {
		all[name] = &room{&mail{w: h.world}, name}
		channels = append(channels, all[name])
	}
	for _, e := range h.engines {
		e.Channels = append([]notify.Channel{h.mail}, channels...)
	}
	roots := uids(3)
	for _, uid := range roots {
		h.finds(uid)
	}
	h.goOn(17 * time.Hour)
	for _, uid := range roots {
		c := h.only(uid)
		if confirmed, tries := c.Count(ada().Key()); confirmed != 3 || tries != 3 || h.confirmed(c) != 3 {
			t.Errorf("%s: %d confirmed in %d tries, the gate sees %d", uid, confirmed, tries, h.confirmed(c))
		}
	}
	for name, r := range all {
		told := map[string][]int{}
		for _, s := range r.tries(docket.Warning) {
			for _, item := range s.digest.Items {
				if item.Purpose == string(docket.Warning) {
					told[item.Root.UID] = append(told[item.Root.UID], item.N)
				}
			}
		}
		for _, uid := range roots {
			if !slices.Equal(told[uid], []int{1, 2, 3}) {
				t.Errorf("%s told warnings %v of %s", name, told[uid], uid)
			}
		}
	}
}

// What one channel has told of, and another has not yet, is told there by the process that comes
// after, though no docket owes it any more: outboxes are found without a docket.
func TestOutboxesAreFoundAfterARestart(t *testing.T) {
	w, _ := rooms(t, []string{notify.Email, "slack"}, map[string][]string{"slack": {"U1"}})
	w.sees("a")
	w.pass(10 * time.Minute)
	channels, owner := w.engine.Channels, w.only("a").Notices[0].Owner
	w.start()
	w.engine.Channels = channels
	must(t, w.engine.Gained(w.Context(), docket.AllBuckets()))
	for _, channel := range channels {
		if box := outbox.BoxKey(owner, channel.Name()); !slices.Contains(w.engine.boxes.list(), box) {
			t.Errorf("%s is known to nobody: %v", box, w.engine.boxes.list())
		}
	}
}
