package action

import (
	"slices"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// A server that asks for pause after pause does not keep a notice for ever: after a day it is given
// up, and the case says so, though few of the tries were made.
func TestAChannelThatOnlyPausesIsGivenUp(t *testing.T) {
	w, all := rooms(t, []string{"slack"}, map[string][]string{"slack": {"U1"}})
	slow := &busy{all["slack"], 5 * time.Hour}
	slow.script = slices.Repeat([]notify.OutcomeState{notify.Failed}, 100)
	w.engine.Channels = []notify.Channel{slow}
	w.sees("a")
	w.pass(23 * time.Hour)
	state := func() outbox.State {
		n, err := ledger.Read[outbox.Notice](t.Context(), w.ledger, "notice/slack/"+ada().Key()+"/1")
		must(t, err)
		return n.State
	}
	if s, n := state(), len(slow.sent); s != outbox.Due || n < 2 || n > 6 {
		t.Fatalf("after 23 hours it is %s, after %d tries", s, n)
	}
	w.pass(4 * time.Hour)
	if s, n := state(), len(slow.sent); s != outbox.Failed || n >= outbox.MaxTries {
		t.Errorf("after 27 hours it is %s, after %d tries", s, n)
	}
	if n, _ := w.only("a").Failed(); n != 1 {
		t.Errorf("the case knows of %d notices that were given up", n)
	}
}

// What a room has told, and mail has not yet, is told by mail though the case was held meanwhile.
func TestWhatIsHeldForAWhileIsStillTold(t *testing.T) {
	for name, hold := range map[string]func(*world){
		"stale":   func(w *world) { w.engine.index.seen = map[docket.Key]time.Time{} },
		"dry run": func(w *world) { w.engine.Config.Enforce.Mode = config.ModeDryRun },
	} {
		t.Run(name, func(t *testing.T) {
			w, all := rooms(t, []string{"webhook/a", "email"}, nil, func(c *config.Config) {
				c.Enforce.Mode, c.Notify.Gap, c.Policies[0].Ladder.Warnings = config.ModeSafe, 3*time.Hour, 1
			})
			both := w.engine.Channels
			w.engine.Channels = both[1:]
			w.sees("a")
			w.pass(10 * time.Minute) // mail rests now, the room is new
			w.engine.Channels = both
			w.sees("b")
			w.pass(10 * time.Minute)
			if room, mail := len(all["webhook/a"].tries(docket.Warning)), len(w.mail.tries(docket.Warning)); room != 1 || mail != 1 {
				t.Fatalf("the room told %d, mail %d, want b and a", room, mail)
			}
			hold(w)
			w.pass(4 * time.Hour) // past the end of mail's rest
			if n := len(w.mail.tries(docket.Warning)); n != 1 {
				t.Fatalf("%d mails while the case is held", n)
			}
			w.engine.Config.Enforce.Mode = config.ModeSafe
			w.sees("a")
			w.sees("b")
			w.pass(4 * time.Hour)
			if n := len(w.mail.tries(docket.Warning)); n != 2 {
				t.Errorf("%d mails in the end, want one of each", n)
			}
		})
	}
}
