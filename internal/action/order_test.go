package action

import (
	"strings"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// An observation of an earlier start, after one of a later: a ledger or a discover of
// yesterday. It changes nothing, and a person looks.
func TestAnOrderThatFallsBackOpensTheBreaker(t *testing.T) {
	w := newWorld(t)
	w.sees("web", func(o *v1.Observation) { o.Order.Epoch = 7 })
	before := w.docket("web")
	w.sees("web", func(o *v1.Observation) { o.Order.Epoch = 6; o.Verdicts = nil })
	if b, err := w.engine.Control.Breaker(t.Context()); err != nil || !b.Open || !strings.Contains(b.Reason, "epoch 6") {
		t.Errorf("%+v, %v", b, err)
	}
	if after := w.docket("web"); after.Version != before.Version {
		t.Errorf("the docket changed: %+v", after)
	}
}
