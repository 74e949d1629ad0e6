package outbox_test

import (
	"slices"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// What tries told adds up, whatever the last of them knows.
func TestANoticeThatIsToldInPart(t *testing.T) {
	failed := func(told ...string) notify.Outcome { return notify.Outcome{State: notify.Failed, Told: told} }
	unknown := func(untold ...string) notify.Outcome {
		return notify.Outcome{State: notify.Unknown, Untold: untold}
	}
	items := digest(1, 2).Items
	one, two := items[0].Case, items[1].Case
	for name, row := range map[string]struct {
		tries  []notify.Outcome
		state  outbox.State
		end    docket.Result
		untold []string
	}{
		"nothing told, given up":           {slices.Repeat([]notify.Outcome{failed()}, outbox.MaxTries), outbox.Failed, docket.FailedSend, nil},
		"one told in the last try":         {append(slices.Repeat([]notify.Outcome{failed()}, outbox.MaxTries-1), failed(one)), outbox.Unknown, docket.UnknownSend, []string{two}},
		"one told in the first try":        {append([]notify.Outcome{failed(one)}, slices.Repeat([]notify.Outcome{failed()}, outbox.MaxTries-1)...), outbox.Unknown, docket.UnknownSend, []string{two}},
		"both told, and still not taken":   {slices.Repeat([]notify.Outcome{failed(one, two)}, outbox.MaxTries), outbox.Unknown, docket.UnknownSend, nil},
		"unknown of one message":           {[]notify.Outcome{unknown()}, outbox.Unknown, docket.UnknownSend, nil},
		"unknown of the first":             {[]notify.Outcome{unknown(two)}, outbox.Unknown, docket.UnknownSend, []string{two}},
		"told, then unknown and forgotten": {[]notify.Outcome{failed(one), unknown(one, two)}, outbox.Unknown, docket.UnknownSend, []string{two}},
		"told, then all is well":           {[]notify.Outcome{failed(one), {State: notify.Confirmed, Accepted: ada().Emails}}, outbox.Sent, docket.Sent, nil},
		"taken for nobody of the owner's":  {[]notify.Outcome{{State: notify.Confirmed, Accepted: []string{"eve@example.com"}}}, outbox.Sent, docket.Sent, nil},
	} {
		l := open(t)
		n := composed(t, l)
		now := start()
		for _, o := range row.tries {
			now = now.Add(time.Hour)
			_, begun, err := outbox.Begin(t.Context(), l, n.Key, "me", "token", now)
			if must(t, err); !begun {
				t.Fatalf("%s: a try did not begin", name)
			}
			_, err = outbox.End(t.Context(), l, n.Key, "token", o, now)
			must(t, err)
		}
		got := stored(t, l, n.Key)
		end := got.Ending()
		if got.State != row.state || end.Result != row.end || !slices.Equal(end.Untold, row.untold) || end.Beside != (name == "taken for nobody of the owner's") {
			t.Errorf("%s: %s, %+v", name, got.State, end)
		}
	}
}
