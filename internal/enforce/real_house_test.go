package enforce_test

import (
	"context"
	"hash/crc32"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/all"
)

const team = "team@example.org"

// house is one test's namespace and ledger, with a process that may die and be replaced.
type house struct {
	t       *testing.T
	p       *plane
	ns      string
	file    string // of the ledger
	ledger  *sqlite.Ledger
	control *control.Control
	config  config.Config
	policy  config.Policy
	engine  *rule.Engine
	skew    time.Duration
	key     docket.Key
	cases   []string
	sight   sight
}

func newHouse(t *testing.T, p *plane) *house {
	t.Helper()
	h := &house{t: t, p: p, ns: strings.ToLower(t.Name()[strings.LastIndex(t.Name(), "/")+1:])}
	h.ns = strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, h.ns), "-")
	p.reset(t)
	must(p.admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: h.ns, Annotations: map[string]string{"team/email-ids": team}}}, metav1.CreateOptions{}))
	h.file = filepath.Join(t.TempDir(), "ledger.db")
	h.ledger = must(sqlite.Open(t.Context(), h.file, time.Now))
	t.Cleanup(func() { _ = h.ledger.Close() })
	h.control = control.New(h.ledger, time.Now)
	h.config = config.Default()
	h.config.Cluster.Name = "test"
	h.config.Enforce.Mode, h.config.Enforce.MinimumAge = config.ModeEnforce, time.Hour
	h.config.Enforce.Budget = config.Budget{Round: time.Nanosecond, PerHour: 100, PerDay: 100, PerNamespace: 100,
		PerOwner: 100, PerRule: 100, Percent: 100, Floor: 5}
	h.policy = config.Policy{Name: "test", Enforce: true, Ladder: config.Ladder{Standing: time.Minute, Warnings: 2, Wait: 10 * time.Minute}}
	h.engine = must(rule.NewEngine(must(all.Rules(config.Rules{}, h.config.Owners))...))
	return h
}

// process is an Enforcer under the real account, over a wire that may be cut.
func (h *house) process(holder string, w *wire) *enforce.Enforcer {
	c := rest.CopyConfig(h.p.account)
	if w != nil {
		c.Wrap(w.around)
	}
	return enforce.New(enforce.Settings{
		Client: must(kubernetes.NewForConfig(c)), Dynamic: must(dynamic.NewForConfig(c)),
		Skew:    func() time.Duration { return h.skew },
		Cluster: v1.Cluster{Name: "test", UID: h.p.uid}, Config: h.config, Store: h.ledger, Control: h.control,
		Engine: h.engine, Sight: h.sight, Holder: holder, Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
}

// sight is what discover saw: everything, unless it is stale or has no inventory yet.
type sight struct{ stale, empty bool }

func (s sight) Sighted(docket.Key) (bool, int) {
	if s.empty {
		return !s.stale, 0
	}
	return !s.stale, 100
}

// seed puts the object's docket into the ledger as three hours of life would have left it:
// observed, opened, and warned twice with confirmation.
func (h *house) seed(object runtime.Object) {
	h.t.Helper()
	now := time.Now().UTC()
	e := must(entity.From(object))
	root := v1.Root{Kind: string(e.Kind), Namespace: e.Namespace, Name: e.Name, UID: e.UID}
	who := v1.Owner{Emails: []string{team}, Platform: true, From: "Namespace " + h.ns}
	h.key = docket.Key{Cluster: h.p.uid, Root: e.UID}
	d, entries, _ := docket.Observe(docket.Docket{Key: h.key}, v1.Observation{V: v1.Version,
		Cluster: v1.Cluster{Name: "test", UID: h.p.uid}, Root: root, Order: v1.Order{Epoch: 1, Seq: 1},
		At: now.Add(-3 * time.Hour), State: v1.Live, Created: e.Created, Owner: who,
		Verdicts: h.engine.Judge(e, rule.NewSet(nil), v1.FromTemplate), Hash: "hash"})
	h.cases = nil
	var items []notify.Item
	refs := map[string]docket.NoticeRef{}
	for _, c := range d.Cases {
		h.cases = append(h.cases, c.ID)
		items = append(items, notify.Item{Case: c.ID, Purpose: string(docket.Warning)})
		d, _ = docket.OpenCase(d, c.ID, now.Add(-2*time.Hour))
	}
	if len(h.cases) == 0 {
		h.t.Fatalf("%s violates nothing", root)
	}
	for n := 1; n <= 2; n++ {
		at := now.Add(time.Duration(n-4) * 30 * time.Minute)
		for i := range items {
			items[i].N, items[i].Needed, items[i].NextAt = n, 2, at.Add(10*time.Minute)
			refs[items[i].Case] = docket.NoticeRef{Purpose: docket.Warning, N: n, Owner: team, ActAt: items[i].ActAt()}
		}
		key := h.send(who, n, items, at)
		d, _ = docket.AttachNotice(d, key, refs, at)
		d, _ = docket.SettleNotice(d, key, docket.Ending{Fate: docket.Fate{Result: docket.Sent}}, at)
	}
	must(h.ledger.CompareAndSet(h.t.Context(), d, entries))
}

func (h *house) send(who v1.Owner, n int, items []notify.Item, at time.Time) string {
	h.t.Helper()
	ctx := h.t.Context()
	number := 10*int(crc32.ChecksumIEEE([]byte(h.key.Root))) + n // several dockets of a test do not share numbers
	notice := must(outbox.Open(ctx, h.ledger, outbox.Box{Owner: who, Channel: notify.Email, Next: number}, notify.Digest{Items: items, At: at}))
	_, begun, err := outbox.Begin(ctx, h.ledger, notice.Key, "sender", "token", at)
	if err != nil || !begun {
		h.t.Fatal(begun, err)
	}
	must(outbox.End(ctx, h.ledger, notice.Key, "token", notify.Outcome{State: notify.Confirmed, Accepted: []string{team}}, at))
	return notice.Key
}

// grant files the claim and closes the round.
func (h *house) grant() {
	h.t.Helper()
	ctx := context.WithoutCancel(h.t.Context())
	claim := control.Claim{ID: h.key.String(), Namespace: h.ns, Owner: team, Rules: []string{"PRIVILEGED"}}
	if _, err := h.control.File(ctx, h.p.uid, claim); err != nil {
		h.t.Fatal(err)
	}
	time.Sleep(time.Millisecond)
	if err := h.control.CloseRound(ctx, h.p.uid, h.config.Enforce.Budget, 100, nil); err != nil {
		h.t.Fatal(err)
	}
}

// act asks the gate, with a grant, and returns the docket as it is then.
func (h *house) act(w *wire) docket.Docket {
	h.t.Helper()
	h.grant()
	if err := h.process("first", w).Enforce(h.t.Context(), h.key, h.cases, h.policy); err != nil {
		h.t.Fatal(err)
	}
	return h.docket()
}

func (h *house) docket() docket.Docket {
	h.t.Helper()
	return must(h.ledger.Load(context.WithoutCancel(h.t.Context()), h.key))
}

func (h *house) wantState(want docket.EnforcementState) docket.Docket {
	h.t.Helper()
	d := h.docket()
	if d.Enforcement == nil {
		h.t.Fatalf("no enforcement, want %s; refusal %+v", want, d.Refusal)
	}
	if d.Enforcement.State != want {
		h.t.Fatalf("the enforcement is %s, want %s", d.Enforcement.State, want)
	}
	return d
}

func (h *house) wantRefused(rule int, part string) docket.Docket {
	h.t.Helper()
	d := h.docket()
	switch {
	case d.Enforcement != nil:
		h.t.Fatalf("enforcement is %s (%s), want a refusal by rule %d", d.Enforcement.State, d.Enforcement.Settled, rule)
	case d.Refusal == nil || d.Refusal.Rule != rule || !strings.Contains(d.Refusal.Text, part):
		h.t.Fatalf("refusal is %+v, want rule %d with %q", d.Refusal, rule, part)
	}
	return d
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
