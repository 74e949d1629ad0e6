package action

import (
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/policy"
)

// hears hands the engine an inventory of a root's bucket.
func (w *world) hears(uid string, change ...func(*v1.Inventory)) {
	w.Helper()
	w.seq++
	inv := v1.Inventory{V: v1.Version, Cluster: cluster(), Bucket: keyOf(uid).Bucket(), Order: v1.Order{Epoch: int64(w.starts), Seq: w.seq},
		At: w.now(), Kinds: []string{"Deployment"}, Judged: 100}
	for _, f := range change {
		f(&inv)
	}
	must(w, w.engine.handle(w.Context(), v1.Message{Inventory: &inv}))
}

func lists(uid, hash string) func(*v1.Inventory) {
	return func(inv *v1.Inventory) { inv.Roots = append(inv.Roots, v1.Sighting{UID: uid, Hash: hash}) }
}

func TestAnInventory(t *testing.T) {
	const resync = time.Hour
	for _, test := range []struct {
		name    string
		change  []func(*v1.Inventory)
		fresh   bool // known by it (also to be gone)
		request bool // asked for again
		gone    bool
	}{
		{"equal hash", []func(*v1.Inventory){lists("a", "violated")}, true, false, false},
		{"other hash", []func(*v1.Inventory){lists("a", "other")}, false, true, false},
		{"absent from a complete kind", []func(*v1.Inventory){lists("other", "violated")}, true, false, true},
		{"absent from an incomplete kind", []func(*v1.Inventory){func(i *v1.Inventory) { i.Kinds = []string{"Ingress"} }}, false, false, false},
		{"absent from an older one", []func(*v1.Inventory){func(i *v1.Inventory) { i.Order = v1.Order{Epoch: 1} }}, false, false, false},
		{"absent from another cluster's", []func(*v1.Inventory){func(i *v1.Inventory) { i.Cluster.UID = "another" }}, false, false, false},
		{"listed in another cluster's", []func(*v1.Inventory){lists("a", "violated"), func(i *v1.Inventory) { i.Cluster.UID = "another" }}, false, false, false},
		{"another bucket's", []func(*v1.Inventory){func(i *v1.Inventory) { i.Bucket++ }}, false, false, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, func(c *config.Config) { c.Discover.Resync = resync })
			w.sees("a")
			w.pass(2 * step)
			w.clock.add(2*resync - 2*step)
			if fresh, _ := w.engine.Sighted(keyOf("a")); !fresh {
				t.Fatal("stale within two resyncs")
			}
			w.clock.add(1)
			if fresh, _ := w.engine.Sighted(keyOf("a")); fresh {
				t.Fatal("fresh after two resyncs")
			}
			w.hears("a", test.change...)
			if fresh, _ := w.engine.Sighted(keyOf("a")); fresh != test.fresh {
				t.Errorf("fresh: %v", fresh)
			}
			requested := false
			select {
			case key := <-w.bus.Requests():
				requested = key == keyOf("a")
			default:
			}
			if requested != test.request {
				t.Errorf("requested: %v", requested)
			}
			if state := w.only("a").State; (state == docket.Resolved) != test.gone {
				t.Errorf("the case is %s", state)
			}
		})
	}
}

// Nobody is warned or acted on by what was seen too long ago; seen again, the ladder goes
// on, without a burst.
func TestAStaleDocketIsLeftAlone(t *testing.T) {
	const resync = 10 * time.Minute
	w := newWorld(t, func(c *config.Config) { c.Discover.Resync = resync })
	w.sees("a")
	w.pass(10 * time.Minute) // the first warning
	w.pass(20 * time.Hour)   // long enough for all of the ladder
	if len(w.mail.sent) != 1 || len(w.gate.calls) != 0 || w.only("a").Plan.Reason != policy.Stale {
		t.Fatalf("%d mails, %d acts, plan %+v", len(w.mail.sent), len(w.gate.calls), w.only("a").Plan)
	}
	sighted := w.now()
	for range 12 * 6 {
		w.hears("a", lists("a", "violated"))
		w.pass(resync)
	}
	warnings := w.mail.tries(docket.Warning)
	if len(warnings) != 3 || len(w.gate.calls) != 1 {
		t.Fatalf("%d warnings, %d acts after it was sighted again", len(warnings), len(w.gate.calls))
	}
	about(t, "the second warning", warnings[1].at, sighted)
	about(t, "the third", warnings[2].at, warnings[1].at.Add(6*time.Hour))
}

// A new process has sighted nothing yet: an inventory alone, whose hash it cannot compare,
// makes it ask, and only the observation makes the docket fresh.
func TestANewProcessAsksBeforeItTrusts(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(2 * step)
	w.start()
	w.hears("a", lists("a", "violated"))
	w.pass(time.Hour)
	if fresh, _ := w.engine.Sighted(keyOf("a")); fresh || len(w.bus.Requests()) != 1 || len(w.mail.sent) > 1 {
		t.Errorf("fresh %v, %d requests, %d mails", fresh, len(w.bus.Requests()), len(w.mail.sent))
	}
	w.sees("a")
	if fresh, judged := w.engine.Sighted(keyOf("a")); !fresh || judged != 100 {
		t.Errorf("fresh %v, %d judged", fresh, judged)
	}
}

func TestACleanRootCostsNothing(t *testing.T) {
	w := newWorld(t)
	w.sees("a", clean)
	if d := w.docket("a"); d.Version != 0 || len(w.engine.index.due(w.now())) != 0 {
		t.Errorf("%+v", d)
	}
	// One that is seen for a moment leaves nothing to tell either.
	w.sees("b")
	w.sees("b", clean)
	w.pass(time.Hour)
	if d := w.docket("b"); d.Live() || len(w.mail.sent) != 0 {
		t.Errorf("%+v, %d mails", d, len(w.mail.sent))
	}
}

// A restored ingress lives under another UID. A new process does not know that yet when the
// inventory of the old UID's bucket comes, and must not take it for gone.
func TestARestoredRootIsNotGoneFromItsOldBucket(t *testing.T) {
	w := newWorld(t)
	w.sees("a")
	w.pass(10 * time.Minute)
	_, err := ledger.Update(t.Context(), w.ledger, keyOf("a"), func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		d.Aliases = []string{"restored"}
		return d, nil, true, nil
	})
	must(w, err)
	w.start()
	w.hears("a", lists("other", "violated"))
	if c := w.only("a"); c.State != docket.Open {
		t.Fatalf("the case is %s", c.State)
	}
	w.hears("restored", lists("restored", "violated"))
	if c := w.only("a"); c.State != docket.Open || len(w.bus.Requests()) != 1 {
		t.Errorf("the case is %s, %d requests; want it asked for", c.State, len(w.bus.Requests()))
	}
	w.hears("restored", lists("other", "violated"))
	if c := w.only("a"); c.State != docket.Resolved {
		t.Errorf("absent from its new bucket, the case is %s", c.State)
	}
}
