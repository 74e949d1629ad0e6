package action

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/policy"
)

// mute is a ledger that takes nothing down.
type mute struct{ ledger.Records }

func (mute) Put(context.Context, ledger.Record) (int64, error) { return 0, errors.New("away") }

// A claim that could not be given back is given back at the next look: else what was refused
// meanwhile would stand, and refuse a later one.
func TestAClaimIsGivenBackOnceTheLedgerTakesIt(t *testing.T) {
	w := newWorld(t)
	key := keyOf("web")
	_, err := w.engine.Control.File(t.Context(), key.Cluster, control.Claim{ID: key.String(), Namespace: "shop", Rules: []string{"R"}})
	must(t, err)
	w.engine.index.claim(key)
	whole := w.engine.Control
	w.engine.Control = control.New(mute{w.ledger}, w.now)
	if err := w.engine.withdraw(t.Context(), key); err == nil {
		t.Fatal("it was given back to nobody")
	}
	w.engine.Control = whole
	must(t, w.engine.withdraw(t.Context(), key))
	if b, err := w.engine.Control.Budget(t.Context(), key.Cluster); err != nil || len(b.Claims) != 0 {
		t.Errorf("%+v, %v", b, err)
	}
}

// What was refused with others stays refused until it is heard, though its object was not seen
// meanwhile: else it would come again, with fewer beside it.
func TestARefusalOutlivesAStaleMoment(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(step)
	key := w.docket("a").Key
	_, err := w.engine.Control.File(t.Context(), key.Cluster, control.Claim{ID: key.String(), Namespace: "shop", Rules: []string{"R"}})
	must(t, err)
	w.engine.index.claim(key)
	none := w.conf.Enforce.Budget
	none.PerDay, none.Round = 0, 0
	must(t, w.engine.Control.CloseRound(t.Context(), key.Cluster, none, 100, nil))
	refused := func() bool {
		b, err := w.engine.Control.Budget(t.Context(), key.Cluster)
		must(t, err)
		return b.Over[key.String()] != ""
	}
	if !refused() {
		t.Fatal("the round was not refused")
	}
	w.engine.index.seen = map[docket.Key]time.Time{}
	w.pass(10 * time.Minute)
	if plan := w.only("a").Plan; plan.Reason != policy.Stale || !refused() {
		t.Errorf("plan %+v, refused %v", plan, refused())
	}
	w.sees("a")
	w.pass(10 * time.Minute)
	if refused() {
		t.Error("who no longer asks for an act keeps a refusal")
	}
}

// A person's order does not wait out the pause after a failure, for which others' words wait.
func TestAnOrderEndsAPause(t *testing.T) {
	w := newWorld(t)
	key := keyOf("web")
	x := w.engine.index
	x.open(key, w.now())
	for range 12 {
		x.ended(key, errors.New("the API server is away"))
	}
	if until := x.pausedUntil(key); until.Sub(w.now()) != longestPause {
		t.Fatalf("paused until %s", until)
	}
	must(t, w.engine.handle(t.Context(), v1.Message{Wake: &v1.Wake{V: v1.Version, Docket: key.String()}}))
	if until := x.pausedUntil(key); until.Sub(w.now()) != longestPause {
		t.Fatalf("another replica's word ends the pause: until %s", until)
	}
	must(t, w.engine.handle(t.Context(), v1.Message{Wake: &v1.Wake{V: v1.Version, Docket: key.String(), Order: true}}))
	if x.pausedUntil(key).After(w.now()) || len(x.due(w.now())) != 1 {
		t.Error("it rests still")
	}
}

// A cluster that stopped is called silent, though its last word was some seconds on its way.
func TestALateWordIsNoWrongClock(t *testing.T) {
	w := newWorld(t)
	w.start()
	resync := w.conf.Discover.Resync
	w.hears("a", func(i *v1.Inventory) { i.At = w.now().Add(-20 * time.Second) })
	w.clock.add(2*resync - 10*time.Second)
	if s := w.engine.sign(cluster().UID, w.engine.index.audits()[cluster().UID]); !s.Silent || strings.Contains(s.Stale, "clock") {
		t.Errorf("%+v", s)
	}
}
