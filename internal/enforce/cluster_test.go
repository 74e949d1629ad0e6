package enforce

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/policy"
)

// bench is an enforcer of cluster "ours" whose API server answers as it is told, with a
// ledger of its own.
type bench struct {
	*Enforcer
	t    *testing.T
	seen []string // requests, as "METHOD path"
}

func newBench(t *testing.T, store func(ledger.Ledger) Store, live string, answer func(w http.ResponseWriter, r *http.Request)) *bench {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	b := &bench{t: t}
	client := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/namespaces/kube-system" {
			say(w, http.StatusOK, corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: types.UID(live)}})
			return
		}
		b.seen = append(b.seen, r.Method+" "+r.URL.Path)
		answer(w, r)
	})
	s := Store(l)
	if store != nil {
		s = store(l)
	}
	b.Enforcer = &Enforcer{Settings: Settings{Client: client, Store: s, Control: control.New(l, time.Now), Holder: "second",
		Cluster: v1.Cluster{Name: "prod", UID: "ours"}, Config: config.Default(), Now: time.Now, Log: slog.New(slog.DiscardHandler)}}
	return b
}

// keep puts a docket with this enforcement into the ledger.
func (b *bench) keep(cluster, kind string, e docket.Enforcement) docket.Key {
	b.t.Helper()
	key := docket.Key{Cluster: cluster, Root: "u-web"}
	root := v1.Root{Kind: kind, Namespace: "shop", Name: "web", UID: "u-web"}
	e.ID, e.Target, e.Holder, e.Action, e.Cases = "e-1", root, "first", policy.Action(kind), []string{"c-1"}
	d := docket.Docket{Key: key, Cluster: "name of " + cluster, Root: root, Enforcement: &e,
		Cases: []docket.Case{{ID: "c-1", Rule: "R", State: docket.Open}}}
	if e.State == "" {
		d.Enforcement = nil
	}
	if _, err := b.Store.CompareAndSet(b.t.Context(), d, nil); err != nil {
		b.t.Fatal(err)
	}
	return key
}

func (b *bench) docket(key docket.Key) docket.Docket {
	b.t.Helper()
	d, err := b.Store.Load(b.t.Context(), key)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func (b *bench) open() bool {
	b.t.Helper()
	breaker, err := b.Control.Breaker(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return breaker.Open
}

// TestAnotherClustersDocketIsLeftAlone: an absent object of another cluster is no outcome,
// and nothing of another cluster is brought back here.
func TestAnotherClustersDocketIsLeftAlone(t *testing.T) {
	for name, test := range map[string]struct {
		state docket.EnforcementState
		do    func(*bench, docket.Key) error
	}{
		"enforce": {"", func(b *bench, k docket.Key) error {
			return b.Enforce(b.t.Context(), k, []string{"c-1"}, config.Policy{})
		}},
		"settle an act":  {docket.Intent, func(b *bench, k docket.Key) error { return b.Settle(b.t.Context(), k) }},
		"settle an undo": {docket.Undoing, func(b *bench, k docket.Key) error { return b.Settle(b.t.Context(), k) }},
		"undo": {docket.Done, func(b *bench, k docket.Key) error {
			_, err := b.Undo(b.t.Context(), k, docket.Undo{By: "ada"})
			return err
		}},
	} {
		for _, where := range []struct {
			name, cluster, live string
			want                []string
			trips               bool
		}{
			{"another docket", "theirs", "ours", []string{"name of theirs", "theirs", "prod", "ours"}, false},
			{"another API server", "ours", "rebuilt", []string{"prod", "ours", "rebuilt"}, true},
		} {
			if name == "enforce" && where.trips {
				continue // there the gate looks: rule 10
			}
			t.Run(name+", "+where.name, func(t *testing.T) {
				b := newBench(t, nil, where.live, status(http.StatusNotFound, metav1.StatusReasonNotFound))
				key := b.keep(where.cluster, "Ingress", docket.Enforcement{State: test.state, Sending: time.Now(),
					Prior: docket.Prior{ResourceVersion: "5", Manifest: []byte(`{}`)}, Undo: &docket.Undo{By: "ada"}})
				before := b.docket(key)
				err := test.do(b, key)
				if err == nil {
					t.Fatal("it went through")
				}
				for _, part := range where.want {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("%q is not in %q", part, err)
					}
				}
				if after := b.docket(key); after.Version != before.Version || len(b.seen) != 0 || b.open() != where.trips {
					t.Errorf("requests %v, docket version %d, was %d; the breaker is open: %v", b.seen, after.Version, before.Version, b.open())
				}
			})
		}
	}
}
