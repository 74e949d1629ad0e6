package action

import (
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// The breaker of one cluster holds nothing in another.
func TestABreakerHoldsItsClusterAlone(t *testing.T) {
	h := newHall(t, 1)
	h.joins(h.gate)
	h.finds("web")
	o := h.observation("west-web", inWest)
	h.say(v1.Message{Observation: &o})
	must(t, h.engine.Control.Trip(t.Context(), west(), "two undos"))
	h.goOn(17 * time.Hour)
	if len(h.gate.calls) != 1 || h.gate.calls[0].key != keyOf("web") {
		t.Errorf("acts: %+v, want the one of the other cluster", h.gate.calls)
	}
}
