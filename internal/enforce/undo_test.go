package enforce

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

var errKilled = errors.New("killed")

// killed is a ledger that a process loses just before it records its undo, once.
type killed struct {
	ledger.Ledger
	done bool
}

func (k *killed) CompareAndSet(ctx context.Context, d docket.Docket, entries []docket.Entry) (int64, error) {
	if e := d.Enforcement; e != nil && e.State == docket.Undid && !k.done {
		k.done = true
		return 0, errKilled
	}
	return k.Ledger.CompareAndSet(ctx, d, entries)
}

// TestAKillDoesNotLoseAnUndoForTheBreaker: the undo counts before it is on record, and is
// not counted again when another process settles it. That of a tenant never counts.
func TestAKillDoesNotLoseAnUndoForTheBreaker(t *testing.T) {
	for _, tc := range []struct {
		limit      int
		own, trips bool
	}{{1, false, true}, {2, false, false}, {1, true, false}} {
		limit, trips := tc.limit, tc.trips
		lossy := func(l ledger.Ledger) Store { return &killed{Ledger: l} }
		b := newBench(t, lossy, "ours", func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodGet && path.Base(r.URL.Path) != "events" {
				t.Errorf("it wrote: %s %s", r.Method, r.URL)
			}
			say(w, http.StatusOK, broughtBack())
		})
		b.Config.Enforce.Breaker.UndosPerHour = limit
		key := b.keep("ours", "Deployment", docket.Enforcement{State: docket.Undoing, Sending: time.Now(),
			Prior: docket.Prior{ResourceVersion: "5", Replicas: ptr.To[int32](3)}, Undo: &docket.Undo{By: "ada", Own: tc.own, Ordered: true}})
		if err := b.Settle(t.Context(), key); !errors.Is(err, errKilled) || b.docket(key).Enforcement.State != docket.Undoing || b.open() != trips {
			t.Fatalf("limit %d, killed: %v; the breaker is open: %v", limit, err, b.open())
		}
		if b.docket(key).Ordered() {
			t.Error("it was carried out, and counts as only ordered")
		}
		if err := b.Settle(t.Context(), key); err != nil || b.docket(key).Enforcement.State != docket.Undid || b.open() != trips {
			t.Errorf("limit %d, settled: %v; the breaker is open: %v", limit, err, b.open())
		}
	}
}

// broughtBack is the deployment after our undo of e-1.
func broughtBack() appsv1.Deployment {
	owned, err := json.Marshal(map[string]any{"f:spec": map[string]any{"f:replicas": map[string]any{}}})
	if err != nil {
		panic(err)
	}
	return appsv1.Deployment{TypeMeta: metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop", UID: "u-web", ResourceVersion: "9",
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: manager("e-1") + "-undo", FieldsV1: metav1.NewFieldsV1(string(owned))}}},
		Spec: appsv1.DeploymentSpec{Replicas: ptr.To[int32](3)}}
}
