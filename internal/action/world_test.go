package action

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus/memory"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/rule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// step is the coarse tick of these tests; everything due within it is done by its end.
const step = 2 * time.Minute

// clock is a time that the test moves.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// world is one cluster's K8Guard with scripted edges: its ledger is real, and outlives
// every engine that the test starts.
type world struct {
	testing.TB
	ledger ledger.Ledger
	conf   config.Config
	clock  *clock
	now    func() time.Time
	bus    *memory.Bus
	mail   *mail
	gate   *gate
	engine *Engine
	why    string // why enforcement does not start
	starts int
	marks  atomic.Int32 // cases that were marked
	seq    int64
}

// newWorld has a ladder of three warnings, six hours apart, and the act three hours later.
func newWorld(t testing.TB, change ...func(*config.Config)) *world {
	t.Helper()
	c := config.Default()
	c.Discover.Resync = 1000 * time.Hour
	c.Enforce.Mode, c.Enforce.MinimumAge = config.ModeEnforce, time.Hour
	c.Policies = []config.Policy{{Name: "images", Enforce: true,
		Ladder: config.Ladder{Standing: time.Minute, Warnings: 3, Wait: 6 * time.Hour, LastWait: 3 * time.Hour}}}
	for _, f := range change {
		f(&c)
	}
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	w := &world{TB: t, ledger: l, conf: c, clock: &clock{at: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}}
	w.now = w.clock.now
	w.mail, w.gate = &mail{w: w}, &gate{w: w}
	w.start()
	return w
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// start makes a new engine over the same ledger, as a new process would.
func (w *world) start() {
	w.Helper()
	w.starts++
	w.bus = memory.New(64, 2)
	w.engine = New(Settings{Ledger: w.ledger, Bus: w.bus, Config: w.conf, Clusters: []v1.Cluster{cluster()}, Alone: true, Control: control.New(w.ledger, w.now),
		Channels: []notify.Channel{w.mail}, Rules: []rule.Meta{{ID: "IMAGE_REPO", Title: "Image from elsewhere", Category: rule.Security}},
		Holder: fmt.Sprint("process-", w.starts), Now: w.now, Log: slog.New(slog.NewTextHandler(w.Output(), nil))})
	w.engine.SetGate(cluster().Name, w.gate, w.why)
	w.engine.index.setAudit(cluster(), audit{judged: 100, at: w.now()})
	must(w, w.engine.Gained(w.Context(), docket.AllBuckets()))
	w.engine.looks(w.Context())
}

// looks lets the engine look at its clusters' Leases now.
func (e *Engine) looks(ctx context.Context) {
	e.checkLedgers(ctx)
	e.senders.Wait()
}

// pass lets time go by in steps, with one round of the ladder after each. A long time with
// nothing under way goes by faster.
func (w *world) pass(d time.Duration) {
	w.Helper()
	for d > 0 {
		n := min(d, step)
		if d > time.Hour && w.quiet() {
			n = 5 * step
		}
		d -= n
		w.clock.add(n)
		must(w, w.engine.round(w.Context()))
		w.engine.senders.Wait()
	}
}

// quiet reports whether nothing waits in an outbox or for the budget.
func (w *world) quiet() bool {
	b, err := w.engine.Control.Budget(w.Context(), cluster().UID)
	must(w, err)
	open := len(b.Claims)
	for _, g := range b.Grants {
		if !g.Used {
			open++
		}
	}
	return open == 0 && len(w.engine.boxes.list()) == 0
}

func cluster() v1.Cluster { return v1.Cluster{Name: "test", UID: "cluster-uid"} }

func keyOf(uid string) docket.Key { return docket.Key{Cluster: cluster().UID, Root: uid} }

func ada() v1.Owner {
	return v1.Owner{Emails: []string{"ada@example.com"}, Platform: true, From: "Namespace shop"}
}

// observation says that a root's container "app" violates IMAGE_REPO.
func (w *world) observation(uid string, change ...func(*v1.Observation)) v1.Observation {
	w.seq++
	o := v1.Observation{V: v1.Version, Cluster: cluster(), Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: "web-" + uid, UID: uid},
		Order: v1.Order{Epoch: int64(w.starts), Seq: w.seq}, At: w.now(), State: v1.Live, Created: w.now(), Owner: ada(), Hash: "violated",
		Verdicts: []v1.Verdict{{Rule: "IMAGE_REPO", Version: "1", Severity: "high", State: v1.Violated,
			Violations: []v1.Violation{{Source: "app", Message: "evil.example/x", From: v1.FromTemplate}}}}}
	for _, f := range change {
		f(&o)
	}
	return o
}

func clean(o *v1.Observation) {
	o.Hash, o.Verdicts = "clean", []v1.Verdict{{Rule: "IMAGE_REPO", Version: "1", Severity: "high", State: v1.Pass}}
}

func gone(o *v1.Observation) { o.State, o.Verdicts, o.Hash = v1.Gone, nil, "" }

func (w *world) sees(uid string, change ...func(*v1.Observation)) {
	w.Helper()
	o := w.observation(uid, change...)
	must(w, w.engine.handle(w.Context(), v1.Message{Observation: &o}))
}

func (w *world) docket(uid string) docket.Docket {
	w.Helper()
	d, err := w.ledger.Load(context.Background(), keyOf(uid))
	must(w, err)
	return d
}

// only is the one case of a root.
func (w *world) only(uid string) docket.Case {
	w.Helper()
	d := w.docket(uid)
	if len(d.Cases) != 1 {
		w.Fatalf("%s has %d cases, want one", uid, len(d.Cases))
	}
	return d.Cases[0]
}
