package action

import (
	"fmt"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger"
)

func ingress(o *v1.Observation) { o.Root.Kind, o.Root.Name = "Ingress", "web" }

// restored brings an ingress so far that it was deleted, and is back under a UID that lies with
// another replica than its docket. It returns the old UID.
func restored(h *hall) string {
	h.Helper()
	uid := ""
	for i := 0; uid == "" || keyOf(uid).Bucket()%2 == keyOf("restored").Bucket()%2; i++ {
		uid = fmt.Sprint("old-", i)
	}
	h.engine = h.engines[keyOf(uid).Bucket()%2]
	h.gate.alias = func(begun bool) {
		alias := enforce.Alias{Docket: keyOf(uid), Pending: begun}
		if !begun {
			alias.UID = "restored"
			_, err := ledger.UpdateRecord(h.Context(), h.ledger, enforce.AliasUIDKey(cluster().UID, "restored"), func(k *docket.Key) (bool, error) {
				*k = keyOf(uid)
				return true, nil
			})
			must(h, err)
		}
		_, err := ledger.UpdateRecord(h.Context(), h.ledger, enforce.AliasKey(cluster().UID, "shop", "web"), func(a *enforce.Alias) (bool, error) {
			*a = alias
			return true, nil
		})
		must(h, err)
	}
	h.finds(uid, ingress)
	for len(h.gate.calls) == 0 {
		h.goOn(30 * time.Minute)
		h.finds(uid, ingress) // said again at each resync
	}
	o := h.observation(uid, ingress, gone)
	h.say(v1.Message{Observation: &o})
	if _, err := h.engine.Undo(h.Context(), h.only(uid).ID, docket.Undo{By: "ada", Reason: "mistake"}); err != nil {
		h.Fatal(err)
	}
	return uid
}

// A restored ingress is spoken of in the bucket of its new UID, which another replica may have:
// who has the docket asks, and is told. It is sighted, and its end is seen.
func TestARestoredIngressIsSightedByWhoHasItsDocket(t *testing.T) {
	h := newHall(t, 2, func(c *config.Config) { c.Discover.Resync = time.Hour })
	uid := restored(h)
	back := h.observation("restored", ingress)
	h.say(v1.Message{Observation: &back})
	if n := h.engines[keyOf("restored").Bucket()%2].Open(); n != 0 {
		t.Errorf("who hears of it holds %d dockets that are another's", n)
	}
	answer := func(change ...func(*v1.Observation)) {
		h.asked = nil
		h.goOn(30 * time.Minute)
		for _, key := range h.asked {
			if key == keyOf("restored") {
				o := h.observation("restored", change...)
				h.say(v1.Message{Observation: &o})
			}
		}
	}
	for range 12 {
		answer(ingress)
		h.goOn(step)
		if fresh, _ := h.engine.Sighted(keyOf(uid)); !fresh {
			t.Fatalf("at %s it is stale; asked for %v", h.now(), h.asked)
		}
	}
	answer(gone, func(o *v1.Observation) { o.Root = v1.Root{UID: "restored"} }) // discover's word on what it does not find
	h.goOn(4 * time.Hour)
	if d := h.docket(uid); d.Live() || h.engine.Open() != 0 {
		t.Errorf("its end was not seen: %d open, %+v", h.engine.Open(), d.Cases)
	}
}
