package action

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
)

// fast is a ladder of seconds, for the real scheduler in a bubble of time.
func fast(c *config.Config) {
	c.Policies[0].Ladder = config.Ladder{Standing: time.Second, Warnings: 2, Wait: 4 * time.Second, LastWait: 3 * time.Second}
	c.Notify.Gather, c.Notify.Gap = time.Second, 2*time.Second
	c.Enforce.MinimumAge, c.Enforce.Budget.Round = time.Second, time.Second
}

// running starts the engine as the product does; stop ends it and waits.
func (w *world) running() (stop func()) {
	ctx, cancel := context.WithCancel(w.Context())
	ended := make(chan error)
	go func() { ended <- w.engine.Run(ctx) }()
	return func() {
		w.Helper()
		cancel()
		must(w, <-ended)
	}
}

func (w *world) publish(o v1.Observation) {
	w.Helper()
	must(w, w.bus.Publish(w.Context(), v1.Message{Observation: &o}))
}

func TestRunCarriesManyRootsThroughTheLadder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fast)
		w.now = time.Now
		w.start()
		w.engine.index.setAudit(cluster(), audit{judged: 1000, at: w.now()})
		stop := w.running()
		for n := range 5 {
			w.publish(w.observation(fmt.Sprint("root-", n)))
		}
		time.Sleep(40 * time.Second)
		stop()
		if len(w.gate.calls) != 5 {
			t.Errorf("%d acts, want five", len(w.gate.calls))
		}
		for n := range 5 {
			c := w.only(fmt.Sprint("root-", n))
			if confirmed, tries := c.Count(ada().Key()); confirmed != 2 || tries != 2 || c.State != docket.Acted || !c.Told(docket.Enforced) {
				t.Errorf("root %d: %d confirmed in %d tries, %s, told %v", n, confirmed, tries, c.State, c.Told(docket.Enforced))
			}
		}
		// All five share each digest: two of warnings, one of the acts.
		if len(w.mail.sent) != 3 {
			t.Errorf("%d mails, want three", len(w.mail.sent))
		}
	})
}

// A stop in the middle of a send lets it end, and keeps its outcome.
func TestStopLetsASendEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fast)
		w.now = time.Now
		slow := &slow{mail: w.mail, takes: 20 * time.Second}
		w.start()
		w.engine.Channels = []notify.Channel{slow}
		stop := w.running()
		w.publish(w.observation("a"))
		time.Sleep(5 * time.Second) // standing, gathering, and then the send hangs
		began := time.Now()
		stop()
		if took := time.Since(began); took < 15*time.Second || took > 25*time.Second {
			t.Errorf("stopping took %s", took)
		}
		if c := w.only("a"); c.Waits() || c.Notices[0].Result != docket.Sent || len(w.mail.sent) != 1 {
			t.Errorf("%+v after %d sends", c.Notices, len(w.mail.sent))
		}
	})
}

// slow is a channel that takes its time.
type slow struct {
	*mail
	takes time.Duration
}

func (s *slow) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	select {
	case <-time.After(s.takes):
		return s.mail.Send(ctx, d)
	case <-ctx.Done():
		return notify.Outcome{State: notify.Unknown, Detail: "cut short"}
	}
}

// A stop in the middle of an act carries it through: nothing is left open.
func TestStopLetsAnActEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, fast)
		w.now = time.Now
		w.gate.hold = make(chan struct{})
		w.start()
		stop := w.running()
		w.publish(w.observation("a"))
		time.Sleep(20 * time.Second)
		if pending, err := w.engine.Freeze(t.Context(), "global", "ada", "incident"); err != nil || !pending {
			t.Errorf("freeze beside an open act: pending %v, %v", pending, err)
		}
		time.AfterFunc(time.Second, func() { close(w.gate.hold) })
		stop()
		if c := w.only("a"); len(w.gate.calls) != 1 || c.State != docket.Acted {
			t.Errorf("%d acts, %s", len(w.gate.calls), c.State)
		}
	})
}
