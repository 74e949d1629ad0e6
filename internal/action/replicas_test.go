package action

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/rule"
)

// hall joins several engines over one ledger: a message goes to whoever has its bucket.
type hall struct {
	*world
	engines []*Engine
	asked   []docket.Key
}

// Consume implements bus.Consumer; the test hands buckets out by itself.
func (h *hall) Consume(context.Context, bus.Handler, bus.Share) error { return nil }

// Request implements bus.Consumer.
func (h *hall) Request(key docket.Key) { h.asked = append(h.asked, key) }

// Pass implements bus.Consumer. Each group hears everything.
func (h *hall) Pass(ctx context.Context, m v1.Message) error {
	for _, e := range h.engines {
		if e.index.owns(bus.Bucket(m)) {
			if err := e.handle(ctx, m); err != nil {
				return err
			}
		}
	}
	return nil
}

// newHall has n engines, each with every n-th bucket.
func newHall(t *testing.T, n int, change ...func(*config.Config)) *hall {
	w := newWorld(t, append(change, func(c *config.Config) { c.Enforce.Budget.Floor = 10 })...)
	h := &hall{world: w}
	for i := range n {
		h.engines = append(h.engines, h.replica(fmt.Sprint("replica-", i), cluster()))
	}
	w.engine = h.engines[0]
	for i, e := range h.engines {
		must(t, e.Gained(t.Context(), everyNth(n, i)))
	}
	return h
}

// replica is an engine for one cluster, without a bucket yet.
func (h *hall) replica(holder string, c v1.Cluster) *Engine {
	e := New(Settings{Ledger: h.ledger, Bus: h, Config: h.conf, Clusters: []v1.Cluster{c}, Control: control.New(h.ledger, h.now),
		Channels: []notify.Channel{h.mail}, Rules: []rule.Meta{{ID: "IMAGE_REPO", Title: "Image from elsewhere", Category: rule.Security}},
		Holder: holder, Now: h.now, Log: slog.New(slog.NewTextHandler(h.Output(), nil))})
	e.SetGate(c.Name, h.gate, "")
	e.looks(h.Context())
	return e
}

func everyNth(n, i int) (buckets []int) {
	for b := i; b < docket.Buckets; b += n {
		buckets = append(buckets, b)
	}
	return buckets
}

// say hands a violation of a root, or an inventory, to the replica whose it is.
func (h *hall) say(m v1.Message) { must(h, h.Pass(h.Context(), m)) }

func (h *hall) finds(uid string, change ...func(*v1.Observation)) {
	o := h.observation(uid, change...)
	h.say(v1.Message{Observation: &o})
	h.say(v1.Message{Inventory: &v1.Inventory{V: v1.Version, Cluster: cluster(), Order: o.Order, At: h.now(), Judged: 100,
		Bucket: docket.BucketOf(cluster().UID)}})
}

func (h *hall) goOn(d time.Duration) {
	h.Helper()
	for ; d > 0; d -= step {
		h.clock.add(step)
		for range 2 { // what one passes on, another takes up
			for _, e := range h.engines {
				must(h, e.round(h.Context()))
				e.senders.Wait()
			}
		}
	}
}

// uids finds one root in the buckets of each replica.
func uids(n int) []string {
	found := make([]string, n)
	for i, left := 0, n; left > 0; i++ {
		uid := fmt.Sprint("root-", i)
		if at := keyOf(uid).Bucket() % n; found[at] == "" {
			found[at], left = uid, left-1
		}
	}
	return found
}

// An owner's outboxes are composed by the bucket's holder: one digest an owner, however many replicas.
func TestOneDigestHoweverManyReplicas(t *testing.T) {
	h := newHall(t, 3)
	roots := uids(3)
	for _, uid := range roots {
		h.finds(uid)
	}
	h.goOn(17 * time.Hour)
	warnings := h.mail.tries(docket.Warning)
	if len(warnings) != 3 || len(h.gate.calls) != 3 {
		t.Fatalf("%d mails of warnings, %d acts, want three each", len(warnings), len(h.gate.calls))
	}
	for _, s := range warnings {
		if len(s.digest.Items) != 3 {
			t.Errorf("a digest names %d cases, want one of each replica", len(s.digest.Items))
		}
	}
}

// Timers are rebuilt on assignment: a ladder goes on where it stood, and no step comes twice.
func TestARebalanceKeepsTheLadder(t *testing.T) {
	h := newHall(t, 2)
	roots := uids(2)
	for _, uid := range roots {
		h.finds(uid)
	}
	for range 6 {
		h.goOn(3 * time.Hour)
		// The replicas exchange what they have.
		for i, e := range h.engines {
			e.Lost(t.Context(), everyNth(2, i))
		}
		h.engines[0], h.engines[1] = h.engines[1], h.engines[0]
		for i, e := range h.engines {
			must(t, e.Gained(t.Context(), everyNth(2, i)))
		}
		for _, uid := range roots {
			h.finds(uid)
		}
	}
	warnings := h.mail.tries(docket.Warning)
	if len(warnings) != 3 || len(h.gate.calls) != 2 {
		t.Errorf("%d mails of warnings, %d acts, want three and two", len(warnings), len(h.gate.calls))
	}
}

// What a replica lost it does not touch any more.
func TestWhatIsLostIsLeftAlone(t *testing.T) {
	h := newHall(t, 1)
	h.finds("web")
	h.engines[0].Lost(t.Context(), docket.AllBuckets())
	h.goOn(20 * time.Hour)
	if len(h.mail.sent) != 0 || len(h.gate.calls) != 0 || h.engines[0].Open() != 0 {
		t.Errorf("%d mails, %d acts, %d open", len(h.mail.sent), len(h.gate.calls), h.engines[0].Open())
	}
}

// epochs are discover's leaderships, as a replica hears them.
type epochs struct{ *hall }

func (h epochs) said(n int, epoch int64, change ...func(*v1.Observation)) {
	h.Helper()
	o := h.observation("web", append(change, func(o *v1.Observation) { o.Order.Epoch = epoch })...)
	must(h, h.engines[n].handle(h.Context(), v1.Message{Observation: &o}))
}

// opened is why the breaker is open, if it is.
func (h epochs) opened() string {
	h.Helper()
	b, err := h.engines[0].Control.Breaker(h.Context())
	if must(h, err); !b.Open {
		return ""
	}
	return b.Reason
}

// Orders drop a deposed leader's messages. It is no alarm that it goes on for a moment, however
// long Kafka is away meanwhile, but that it says more and more while the newest is silent.
func TestADeposedLeaderIsNotHeard(t *testing.T) {
	h := epochs{newHall(t, 1, minutely)}
	h.said(0, 7)
	before := h.docket("web")
	h.clock.add(time.Second)
	h.said(0, 6, clean)
	if after := h.docket("web"); after.Version != before.Version {
		t.Errorf("the deposed leader changed the docket: %+v", after)
	}
	last := h.now().Add(2 * h.conf.Discover.Resync) // its last breath, heard late
	h.clock.add(24 * time.Hour)
	if h.said(0, 6, clean, at(last)); h.opened() != "" {
		t.Errorf("the last breath of a deposed leader opened the breaker: %s", h.opened())
	}
	h.said(0, 7)
	old := h.now().Add(-time.Minute)
	for range 10 { // a word of the newest comes between, and one of it that is said again does not
		h.clock.add(h.conf.Discover.Resync)
		h.said(0, 6, clean)
		if h.clock.add(time.Second); h.opened() != "" {
			t.Fatalf("the newest leader speaks, and the breaker is open: %s", h.opened())
		}
		h.said(0, 7)
	}
	for range 4 {
		h.clock.add(h.conf.Discover.Resync)
		h.said(0, 6, clean)
		h.said(0, 7, at(old))
	}
	if !strings.Contains(h.opened(), "start discover again") {
		t.Errorf("the newest leader is silent, an older one speaks: breaker %q", h.opened())
	}
	// Started again, discover leads under a later epoch, and is heard though the breaker is open.
	h.said(0, h.now().UnixMilli(), clean)
	if d := h.docket("web"); d.Hash != "clean" {
		t.Errorf("the later leader is not heard: %+v", d)
	}
}

func minutely(c *config.Config) { c.Discover.Resync = time.Minute }

func at(said time.Time) func(*v1.Observation) { return func(o *v1.Observation) { o.At = said } }

// What lay on the bus, or is said again, tells nothing of who leads now, however long it lasts.
// That nothing else comes is a silence, and its reason names what is heard.
func TestWhatLayOnTheBusIsNoAlarm(t *testing.T) {
	h := epochs{newHall(t, 1, minutely)}
	then := h.now().Add(-24 * time.Hour)
	h.said(0, 7)
	h.say(v1.Message{Inventory: &v1.Inventory{V: v1.Version, Cluster: cluster(), Order: v1.Order{Epoch: 7, Seq: 100}, At: h.now(), Judged: 100}})
	for range 20 {
		h.clock.add(h.conf.Discover.Resync)
		then = then.Add(h.conf.Discover.Resync)
		h.said(0, 6, clean, at(then))
	}
	if h.opened() != "" || h.docket("web").Hash == "clean" {
		t.Errorf("breaker %q, docket %+v", h.opened(), h.docket("web"))
	}
	e := h.engines[0]
	if s := e.sign(cluster().UID, e.index.audits()[cluster().UID]); !strings.Contains(s.Stale, "only words of epoch 6 come") {
		t.Errorf("the silence is told as %q", s.Stale)
	}
}

// A replica takes a docket over from one that had heard of a later leader: what it still reads of
// the earlier one is late. Unless not even the ledger knows of the later one.
func TestAnotherHadHeardOfALaterLeader(t *testing.T) {
	h := epochs{newHall(t, 2)}
	h.said(1, 6, func(o *v1.Observation) { o.Root.UID = "other" })
	h.said(0, 7)
	if h.said(1, 6, clean); h.opened() != "" || h.docket("web").Hash == "clean" {
		t.Errorf("breaker %q, docket %+v", h.opened(), h.docket("web"))
	}
	h.engines[1].index.leaders = map[string]leader{} // started again
	_, err := ledger.UpdateRecord(t.Context(), h.ledger, "epoch/"+cluster().UID, func(r *struct{ N int64 }) (bool, error) {
		r.N = 5
		return true, nil
	})
	must(t, err)
	if h.said(1, 6, clean); !strings.Contains(h.opened(), "fell back") || h.docket("web").Hash == "clean" {
		t.Errorf("breaker %q, docket %+v", h.opened(), h.docket("web"))
	}
}

// A leader whose clock is wrong must not deafen us to those who come after.
func TestALeaderOfTheFutureIsNotHeard(t *testing.T) {
	h := newHall(t, 1)
	for _, epoch := range []int64{h.now().Add(10 * 365 * 24 * time.Hour).UnixMilli(), h.now().UnixMilli()} {
		o := h.observation("web", func(o *v1.Observation) { o.Order.Epoch = epoch })
		h.say(v1.Message{Observation: &o})
	}
	if d := h.docket("web"); d.Order.Epoch != h.now().UnixMilli() {
		t.Errorf("heard is %+v", d.Order)
	}
	if b, err := h.engines[0].Control.Breaker(t.Context()); err != nil || !b.Open || !strings.Contains(b.Reason, "a clock is wrong") {
		t.Errorf("breaker %+v, %v", b, err)
	}
}

// Another replica's send is its own until it must have given it up.
func TestAnothersSendIsNotAbandonedEarly(t *testing.T) {
	h := newHall(t, 2)
	root := uids(2)[0]
	h.finds(root)
	h.mail.script = []notify.OutcomeState{notify.Failed}
	for range 30 {
		if h.goOn(step); len(h.mail.sent) > 0 {
			break
		}
	}
	notice := h.only(root).Notices[0].Key
	_, begun, err := outbox.Begin(t.Context(), h.ledger, notice, "replica-paused", "token", h.now().Add(time.Minute))
	if must(t, err); !begun {
		t.Fatal("the failed notice is not due")
	}
	state := func() outbox.State {
		n, err := ledger.Read[outbox.Notice](t.Context(), h.ledger, notice)
		must(t, err)
		return n.State
	}
	h.clock.add(time.Minute)
	for _, e := range h.engines {
		must(t, e.round(t.Context()))
	}
	if s := state(); s != outbox.Sending {
		t.Errorf("at once it is %s", s)
	}
	h.goOn(2 * step)
	if s := state(); s != outbox.Unknown {
		t.Errorf("after four minutes it is %s", s)
	}
}
