package action

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/policy"
)

// An acknowledgement is on record, and pauses only where the policy says so, from the first
// one on: to ask again does not prolong it.
func TestAnAcknowledgement(t *testing.T) {
	for _, test := range []struct {
		name   string
		allows time.Duration // by the policy
		hold   time.Duration // asked for, every four hours
		pause  time.Duration // in truth
	}{
		{"pauses nothing by itself", 0, 0, 0},
		{"nor where it is asked for", 0, 48 * time.Hour, 0},
		{"nor where nothing is asked for", 24 * time.Hour, 0, 0},
		{"as long as is allowed", 24 * time.Hour, 48 * time.Hour, 24 * time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, func(c *config.Config) { c.Policies[0].Ladder.AckPauses = test.allows })
			w.sees("a")
			w.pass(30 * time.Minute)
			id, began := w.only("a").ID, w.now()
			for range 10 {
				text, until, err := w.engine.Acknowledge(t.Context(), id, "ada", "seen", test.hold)
				must(t, err)
				if paused := strings.Contains(text, "pauses until"); paused != w.now().Before(began.Add(test.pause)) || paused == until.IsZero() {
					t.Errorf("after %s: %q, %s", w.now().Sub(began), text, until)
				}
				if cut := strings.Contains(text, "48h was asked for, and 24h from the first acknowledgement on is what ladder.ackPauses of policy"); cut != !until.IsZero() {
					t.Errorf("cut to what is allowed: %q", text)
				}
				w.pass(4 * time.Hour)
			}
			warnings := w.mail.tries(docket.Warning)
			if len(warnings) != 3 || len(w.gate.calls) != 1 {
				t.Fatalf("%d warnings, %d acts", len(warnings), len(w.gate.calls))
			}
			due := warnings[0].at.Add(6 * time.Hour)
			if end := began.Add(test.pause); end.After(due) {
				due = end
			}
			about(t, "the second warning", warnings[1].at, due)
			if c := w.only("a"); c.Ack == nil || c.Ack.By != "ada" || !c.Ack.First.Equal(began) {
				t.Errorf("on record: %+v", c.Ack)
			}
		})
	}
}

// Of a case that cools off after an undo it is not said that its ladder goes on.
func TestAnAcknowledgementOfWhatWasUndone(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(16 * time.Hour)
	id := w.only("a").ID
	_, err := w.engine.Undo(t.Context(), id, docket.Undo{By: "ada", Reason: "mistake"})
	must(t, err)
	text, _, err := w.engine.Acknowledge(t.Context(), id, "ada", "seen", 0)
	if want := "it cools off until " + w.docket("a").CoolOffUntil.UTC().Format(time.RFC3339); err != nil || !strings.Contains(text, want) || strings.Contains(text, "goes on") {
		t.Errorf("%q, %v; want %q", text, err, want)
	}
	text, until, err := w.engine.Acknowledge(t.Context(), id, "ada", "seen", time.Hour)
	if err != nil || !strings.Contains(text, "the pause is not kept") || !until.IsZero() {
		t.Errorf("%q, %v", text, err)
	}
}

func TestAnAcknowledgementEndsWithTheCase(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Policies[0].Ladder.AckPauses = 24 * time.Hour })
	w.sees("a")
	w.pass(30 * time.Minute)
	id := w.only("a").ID
	_, _, err := w.engine.Acknowledge(t.Context(), id, "ada", "seen", 12*time.Hour)
	must(t, err)
	w.pass(4 * time.Minute)
	if p := w.only("a").Plan; p.Reason != policy.Acked || !strings.Contains(p.Text, "ada") {
		t.Errorf("plan %+v", p)
	}
	w.sees("a", clean)
	if c := w.only("a"); c.Ack != nil {
		t.Errorf("%+v", c)
	}
	if _, _, err := w.engine.Acknowledge(t.Context(), id, "ada", "seen", 0); err == nil || !strings.Contains(err.Error(), "resolved") {
		t.Errorf("a case that is over: %v", err)
	}
	if _, _, err := w.engine.Acknowledge(t.Context(), "c-none", "ada", "seen", 0); err == nil {
		t.Error("a case that does not exist is acknowledged")
	}
}

// A pause that was not granted, or not as long as was asked for, is not taken up by a later policy.
func TestWhatAnAcknowledgementWasNotGrantedLeavesNoTrace(t *testing.T) {
	for _, test := range []struct{ allows, pause time.Duration }{{0, 0}, {3 * time.Hour, 3 * time.Hour}} {
		w := newWorld(t, func(c *config.Config) { c.Policies[0].Ladder.AckPauses = test.allows })
		w.sees("a")
		w.pass(30 * time.Minute)
		_, _, err := w.engine.Acknowledge(t.Context(), w.only("a").ID, "ada", "seen", 200*time.Hour)
		must(t, err)
		w.conf.Policies[0].Ladder.AckPauses = 300 * time.Hour
		w.start()
		w.sees("a")
		w.pass(test.pause + 10*time.Minute)
		if c := w.only("a"); c.Plan.Reason == policy.Acked || c.Ack == nil || c.Ack.Until.After(c.Ack.At.Add(test.pause)) {
			t.Errorf("granted %s: plan %+v, on record %+v", test.pause, c.Plan, c.Ack)
		}
		lines, err := w.ledger.Latest(t.Context(), keyOf("a"), 100)
		must(t, err)
		for _, l := range lines {
			if l.Entry.Kind == docket.EntryAcknowledged && strings.Contains(l.Entry.Text, ", until ") != (test.pause > 0) {
				t.Errorf("granted %s: %q", test.pause, l.Entry.Text)
			}
		}
	}
}

// A right to change holds in the cluster that was asked for it.
func TestAnAcknowledgementIsOfThisClusterOnly(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(30 * time.Minute)
	id := w.only("a").ID
	w.engine.Clusters = []v1.Cluster{{Name: cluster().Name, UID: "another"}}
	if _, _, err := w.engine.Acknowledge(t.Context(), id, "ada", "seen", 0); err == nil || !strings.Contains(err.Error(), "use the K8Guard of that cluster") {
		t.Errorf("%v", err)
	}
}
