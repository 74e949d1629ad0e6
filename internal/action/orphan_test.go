package action

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
)

// A replica files claims and dies; most of their roots vanish before another closes the round.
// What nobody asks for any more fills no budget.
func TestClaimsOfWhatIsGoneFillNoBudget(t *testing.T) {
	h := newHall(t, 1, func(c *config.Config) { c.Enforce.Budget.Round = 10 * time.Minute })
	e := h.engines[0]
	e.Config.Enforce.Budget.Floor = 2
	roots := []string{"a", "b", "c", "d"}
	for _, uid := range roots {
		h.finds(uid)
	}
	claims := func() int {
		b, err := e.Control.Budget(t.Context(), cluster().UID)
		must(t, err)
		return len(b.Claims)
	}
	for end := h.now().Add(20 * time.Hour); claims() < len(roots) && h.now().Before(end); {
		h.goOn(step)
	}
	if n := claims(); n != len(roots) {
		t.Fatalf("%d claims", n)
	}
	e.Lost(t.Context(), docket.AllBuckets())
	next := h.replica("replica-next", cluster())
	next.Config.Enforce.Budget.Floor = 2
	h.engines, h.engine = []*Engine{next}, next
	must(t, next.Gained(t.Context(), docket.AllBuckets()))
	for _, uid := range roots[1:] {
		h.finds(uid, gone)
	}
	h.finds(roots[0])
	h.goOn(30 * time.Minute)
	if len(h.gate.calls) != 1 || h.gate.calls[0].key != keyOf(roots[0]) || h.gate.calls[0].over != "" {
		t.Errorf("acts: %+v, want the one that is still asked for", h.gate.calls)
	}
}
