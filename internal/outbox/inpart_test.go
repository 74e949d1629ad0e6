package outbox_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// What tries told adds up, whatever the last of them knows.
func TestANoticeThatIsToldInPart(t *testing.T) {
	failed := func(told ...string) notify.Outcome {
		out := notify.Outcome{State: notify.Failed}
		for _, id := range told {
			out.Told = append(out.Told, notify.Telling{Case: id, For: ada().Emails})
		}
		return out
	}
	unknown := func(untold ...string) notify.Outcome {
		return notify.Outcome{State: notify.Unknown, Untold: untold}
	}
	items := digest(1, 2).Items
	one, two := items[0].Case, items[1].Case
	const is, no, may = docket.Sent, docket.FailedSend, docket.UnknownSend
	for name, row := range map[string]struct {
		tries      []notify.Outcome
		state      outbox.State
		one, other docket.Result
	}{
		"nothing told, given up":   {slices.Repeat([]notify.Outcome{failed()}, outbox.MaxTries), outbox.Failed, no, no},
		"one told in the last try": {append(slices.Repeat([]notify.Outcome{failed()}, outbox.MaxTries-1), failed(one)), outbox.Due, is, may},
		"one told late, then given up": {slices.Concat(slices.Repeat([]notify.Outcome{failed()}, outbox.MaxTries-1), []notify.Outcome{failed(one)},
			slices.Repeat([]notify.Outcome{failed()}, outbox.MaxTries-1)), outbox.Unknown, is, no},
		"one told in the first try":        {append([]notify.Outcome{failed(one)}, slices.Repeat([]notify.Outcome{failed()}, outbox.MaxTries-1)...), outbox.Unknown, is, no},
		"both told, and still not taken":   {slices.Repeat([]notify.Outcome{failed(one, two)}, outbox.MaxTries), outbox.Unknown, is, is},
		"unknown of one message":           {[]notify.Outcome{unknown()}, outbox.Unknown, may, may},
		"unknown of the first":             {[]notify.Outcome{unknown(two)}, outbox.Unknown, may, no},
		"told, then unknown and forgotten": {[]notify.Outcome{failed(one), unknown(one, two)}, outbox.Unknown, is, no},
		"told, then unknown":               {[]notify.Outcome{failed(one), unknown()}, outbox.Unknown, is, may},
		"told, then all is well":           {[]notify.Outcome{failed(one), {State: notify.Confirmed, Accepted: ada().Emails}}, outbox.Sent, is, is},
		"told for somebody else, then not": {[]notify.Outcome{{State: notify.Failed, Told: []notify.Telling{{Case: one, For: []string{"eve@example.com"}}}}, unknown()}, outbox.Unknown, is, may},
		"taken for nobody of the owner's":  {[]notify.Outcome{{State: notify.Confirmed, Accepted: []string{"eve@example.com"}}}, outbox.Sent, is, is},
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
		fate := func(id string) docket.Fate {
			if f, its := end.But[id]; its {
				return f
			}
			return end.Fate
		}
		elsewhere := strings.Contains(name, "somebody else") || strings.Contains(name, "nobody of the owner's")
		if got.State != row.state || fate(one).Result != row.one || fate(two).Result != row.other || fate(one).Beside != elsewhere {
			t.Errorf("%s: %s, %+v", name, got.State, end)
		}
		if counts := got.Counts(one); counts != (row.one == is && !elsewhere) || got.Counts(two) != (row.other == is && !elsewhere) {
			t.Errorf("%s: the gate counts %v and %v", name, counts, got.Counts(two))
		}
	}
}
