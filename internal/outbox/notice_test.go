package outbox_test

import (
	"reflect"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// composed is a notice of cases 1 and 2 that has left its box.
func composed(t testing.TB, l ledger.Ledger) outbox.Notice {
	t.Helper()
	n, err := outbox.Open(t.Context(), l, file(t, l, start(), 1, 2), digest(1, 2))
	must(t, err)
	must(t, outbox.Take(t.Context(), l, n, nil, start()))
	return n
}

func TestOpenFreezesWhoIsToldWhat(t *testing.T) {
	l := open(t)
	n := composed(t, l)
	d := n.Digest
	if d.Number != 1 || d.ID != n.Key || n.Key != outbox.NoticeKey(ada().Key(), channel, 1) || n.State != outbox.Due ||
		!reflect.DeepEqual(d.To, ada().Emails) || len(d.Items) != 2 {
		t.Errorf("%+v", n)
	}
	next, err := outbox.Open(t.Context(), l, file(t, l, start(), 3), digest(3))
	must(t, err)
	if next.Digest.Number != 2 || next.Key == n.Key {
		t.Errorf("the next notice: %+v", next)
	}
}

// Whatever happens to a notice, its number and its members stay.
func TestANoticeNeverChangesItsMembers(t *testing.T) {
	l := open(t)
	n := composed(t, l)
	frozen := n.Digest
	now := start()
	for try, state := range []notify.OutcomeState{notify.Failed, notify.Failed, notify.Confirmed} {
		now = now.Add(time.Hour)
		_, begun, err := outbox.Begin(t.Context(), l, n.Key, "me", "token", now)
		if must(t, err); !begun {
			t.Fatalf("try %d did not begin", try)
		}
		_, err = outbox.End(t.Context(), l, n.Key, "token", notify.Outcome{State: state}, now)
		must(t, err)
		got := stored(t, l, n.Key)
		if !reflect.DeepEqual(got.Digest, frozen) || got.Key != n.Key || got.Tries != try+1 {
			t.Errorf("after try %d: %+v", try, got)
		}
	}
	if got := stored(t, l, n.Key); got.State != outbox.Sent {
		t.Errorf("%+v", got)
	}
}

// A crash between the notice and its box: the next composer finds the number taken, and
// must send what is frozen, not what it would say today.
func TestACrashBetweenOpenAndTakeIsAdopted(t *testing.T) {
	l := open(t)
	first, err := outbox.Open(t.Context(), l, file(t, l, start(), 1, 2), digest(1, 2))
	must(t, err)
	// Restart: case 2 is dropped by now, case 3 came in.
	b := file(t, l, start(), 3)
	adopted, err := outbox.Open(t.Context(), l, b, digest(1, 3))
	must(t, err)
	if !reflect.DeepEqual(adopted, first) {
		t.Fatalf("%+v\nwant the one that was composed first, %+v", adopted, first)
	}
	must(t, outbox.Take(t.Context(), l, adopted, nil, start()))
	got := box(t, l)
	if len(got.Entries) != 1 || got.Entries[0] != entry(3) || got.Next != 2 {
		t.Errorf("%+v: want case 3 left, for number 2", got)
	}
	// Taking it once more must not move the number on, nor drop what came since.
	file(t, l, start(), 1)
	must(t, outbox.Take(t.Context(), l, adopted, []outbox.Entry{entry(3)}, start()))
	if got = box(t, l); got.Next != 2 || len(got.Entries) != 2 {
		t.Errorf("taken twice: %+v", got)
	}
}

func TestOnlyOneOfManyBegins(t *testing.T) {
	l := open(t)
	n := composed(t, l)
	var begun atomic.Int32
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			_, ok, err := outbox.Begin(t.Context(), l, n.Key, "me", string(rune('a'+i)), start())
			if err != nil {
				t.Error(err)
			}
			if ok {
				begun.Add(1)
			}
		})
	}
	group.Wait()
	if got := stored(t, l, n.Key); begun.Load() != 1 || got.Tries != 1 || got.State != outbox.Sending {
		t.Errorf("%d began; %+v", begun.Load(), got)
	}
}

func TestEndNeedsTheToken(t *testing.T) {
	for _, test := range []struct {
		name, token string
		outcome     notify.OutcomeState
		want        outbox.State
	}{
		{"another token", "theirs", notify.Confirmed, outbox.Sending},
		{"no token", "", notify.Confirmed, outbox.Sending},
		{"confirmed", "mine", notify.Confirmed, outbox.Sent},
		{"failed", "mine", notify.Failed, outbox.Due},
		{"unknown", "mine", notify.Unknown, outbox.Unknown},
		{"a word that no channel may say", "mine", "perhaps", outbox.Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := open(t)
			n := composed(t, l)
			_, _, err := outbox.Begin(t.Context(), l, n.Key, "me", "mine", start())
			must(t, err)
			_, err = outbox.End(t.Context(), l, n.Key, test.token, notify.Outcome{State: test.outcome}, start())
			must(t, err)
			if got := stored(t, l, n.Key); got.State != test.want {
				t.Errorf("%s, want %s", got.State, test.want)
			}
			// An end is final: the same token says nothing more, but for a new try.
			_, err = outbox.End(t.Context(), l, n.Key, "mine", notify.Outcome{State: notify.Unknown}, start())
			must(t, err)
			if got := stored(t, l, n.Key); test.token == "mine" && got.State != test.want {
				t.Errorf("ended twice: %s, want %s", got.State, test.want)
			}
		})
	}
}

func TestWhatFailedWaitsLongerEachTime(t *testing.T) {
	l := open(t)
	n := composed(t, l)
	now, last := start(), time.Duration(0)
	for try := range 8 {
		_, begun, err := outbox.Begin(t.Context(), l, n.Key, "me", "token", now)
		must(t, err)
		got, err := outbox.End(t.Context(), l, n.Key, "token", notify.Outcome{State: notify.Failed, Detail: "connection refused"}, now)
		must(t, err)
		pause := got.NotUntil.Sub(now)
		if !begun || got.State != outbox.Due || pause < last || pause > 15*time.Minute || try < 5 && pause <= last {
			t.Fatalf("try %d: begun %v, %s for %s after %s", try, begun, got.State, pause, last)
		}
		if _, early, _ := outbox.Begin(t.Context(), l, n.Key, "me", "token", got.NotUntil.Add(-1)); early {
			t.Fatalf("try %d began before its pause was over", try+1)
		}
		now, last = got.NotUntil, pause
	}
	if last < 4*time.Minute {
		t.Errorf("the last pause was %s", last)
	}
	_, _, err := outbox.Begin(t.Context(), l, n.Key, "me", "token", now)
	must(t, err)
	got, err := outbox.End(t.Context(), l, n.Key, "token", notify.Outcome{State: notify.Failed, RetryAfter: 2 * time.Hour}, now)
	if must(t, err); got.NotUntil != now.Add(2*time.Hour) {
		t.Errorf("the server asked for two hours, not until %s", got.NotUntil.Sub(now))
	}
}

func TestAbandonIsForTheDead(t *testing.T) {
	for _, test := range []struct {
		name, asks string
		begin      bool
		want       outbox.State
	}{
		{"of another process", "new", true, outbox.Unknown},
		{"of another process, a moment ago", "younger", true, outbox.Sending},
		{"of this one", "old", true, outbox.Sending},
		{"not begun", "new", false, outbox.Due},
	} {
		l := open(t)
		n := composed(t, l)
		if test.begin {
			_, _, err := outbox.Begin(t.Context(), l, n.Key, "old", "token", start())
			must(t, err)
		}
		before := start()
		if test.asks == "younger" {
			before = start().Add(-time.Second)
		}
		got, err := outbox.Abandon(t.Context(), l, n.Key, test.asks, before)
		if must(t, err); got.State != test.want {
			t.Errorf("%s: %s, want %s", test.name, got.State, test.want)
		}
		// The dead process was only slow: its word comes too late.
		got, err = outbox.End(t.Context(), l, n.Key, "token", notify.Outcome{State: notify.Confirmed}, start())
		if must(t, err); test.want != outbox.Sending && got.State != test.want {
			t.Errorf("%s, then its end: %s, want %s", test.name, got.State, test.want)
		}
	}
}

func TestCounts(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*outbox.Notice)
		want   bool
	}{
		{"accepted for the owner", func(*outbox.Notice) {}, true},
		{"for one of the owner's addresses", func(n *outbox.Notice) { n.Owner.Emails = []string{"ada@example.com", "bob@example.com"} }, true},
		{"not sent", func(n *outbox.Notice) { n.State = outbox.Due }, false},
		{"sending", func(n *outbox.Notice) { n.State = outbox.Sending }, false},
		{"unknown", func(n *outbox.Notice) { n.State = outbox.Unknown }, false},
		{"an owner that a tenant named", func(n *outbox.Notice) { n.Owner.Platform = false }, false},
		{"accepted for somebody else", func(n *outbox.Notice) { n.Accepted = []string{"eve@example.com"} }, false},
		{"accepted for nobody", func(n *outbox.Notice) { n.Accepted = nil }, false},
		{"a room, which says that it took it for the owner", func(n *outbox.Notice) { n.Channel = "slack" }, false},
		{"a webhook of any name", func(n *outbox.Notice) { n.Channel = "webhook/email" }, false},
		{"a room, for an id that the platform maps", func(n *outbox.Notice) {
			n.Channel, n.Digest.Mentions, n.Accepted = "slack", []string{"U1"}, []string{"U1"}
		}, true},
		{"a room, for another id", func(n *outbox.Notice) {
			n.Channel, n.Digest.Mentions, n.Accepted = "slack", []string{"U1"}, []string{"U2"}
		}, false},
		{"a room, for an id that only a tag names", func(n *outbox.Notice) {
			n.Channel, n.Digest.Tags, n.Accepted = "hipchat", []string{"ada"}, []string{"ada"}
		}, false},
		{"a mapped id of an owner that a tenant named", func(n *outbox.Notice) {
			n.Channel, n.Digest.Mentions, n.Accepted, n.Owner.Platform = "slack", []string{"U1"}, []string{"U1"}, false
		}, false},
		{"no owner", func(n *outbox.Notice) { n.Owner = v1.Owner{Platform: true} }, false},
	} {
		n := outbox.Notice{State: outbox.Sent, Channel: channel, Owner: ada(), Accepted: []string{"ada@example.com"}}
		test.change(&n)
		if got := n.Counts("c-1"); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

// An id that reached the owner then, and is somebody else's by now, confirms nothing at the gate.
func TestAnIDThatIsNoLongerTheOwners(t *testing.T) {
	chat := outbox.Notice{State: outbox.Sent, Channel: "slack", Owner: ada(), Digest: notify.Digest{Mentions: []string{"U1", "U2"}}, Accepted: []string{"slack", "U1", "U2"}}
	for _, test := range []struct {
		ids  []string
		want bool
	}{{[]string{"U1"}, true}, {[]string{"U2", "U3"}, true}, {[]string{"U3"}, false}, {nil, false}, {[]string{"slack"}, false}} {
		if got := chat.CountsToday("c-1", test.ids); got != test.want {
			t.Errorf("%v: %v", test.ids, got)
		}
	}
	mail := outbox.Notice{State: outbox.Sent, Channel: "email", Owner: ada(), Accepted: ada().Emails}
	if !mail.CountsToday("c-1", nil) {
		t.Error("mail needs no ids")
	}
	if mail.State = outbox.Unknown; mail.CountsToday("c-1", nil) {
		t.Error("an unknown one counts")
	}
}
