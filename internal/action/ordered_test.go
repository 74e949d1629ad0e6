package action

import (
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// acted brings a root so far that an act on it is on record, and orders its undo where nobody
// has it.
func acted(h *hall) docket.Key {
	h.Helper()
	h.finds("web")
	h.goOn(17 * time.Hour)
	if len(h.gate.calls) != 1 {
		h.Fatalf("%d acts", len(h.gate.calls))
	}
	return keyOf("web")
}

func (h *hall) orders() {
	h.Helper()
	desk := New(Settings{Ledger: h.ledger, Bus: h, Config: h.conf, Clusters: h.engine.Clusters, Control: h.engine.Control, Now: h.now, Log: h.engine.Log})
	if _, err := desk.Undo(h.Context(), h.only("web").ID, docket.Undo{By: "ada", Reason: "mistake"}); err != nil {
		h.Fatal(err)
	}
	if !h.docket("web").Ordered() {
		h.Fatalf("%+v", h.docket("web").Enforcement)
	}
}

// An undo that was ordered where no account can carry it out is answered, and can be asked
// again; no freeze waits for it.
func TestAnOrderedUndoWithoutAnAccountIsAnswered(t *testing.T) {
	h := newHall(t, 1)
	key := acted(h)
	e := h.engines[0]
	e.NoGate(cluster().Name, "no account that may act")
	h.orders()
	h.goOn(2 * step)
	d := h.docket("web")
	if d.Enforcement.State != docket.Done || !e.Idle() {
		t.Fatalf("the enforcement is %s, idle %v", d.Enforcement.State, e.Idle())
	}
	lines, err := h.ledger.Latest(t.Context(), key, 10)
	must(t, err)
	said := false
	for _, l := range lines {
		said = said || strings.Contains(l.Entry.Text, "undo stopped: no account that may act")
	}
	if !said {
		t.Errorf("the history does not say why: %+v", lines)
	}
}

// While the cluster does not answer the order waits, and holds up no freeze: nothing of it
// was begun. It is carried out when the cluster is back.
func TestAnOrderedUndoWaitsForTheClusterAlone(t *testing.T) {
	h := newHall(t, 1)
	acted(h)
	e := h.engines[0]
	e.SetGate(cluster().Name, nil, "the cluster does not answer")
	h.orders()
	h.goOn(2 * step)
	if d := h.docket("web"); !d.Ordered() || !e.Idle() {
		t.Fatalf("%+v, idle %v", d.Enforcement, e.Idle())
	}
	e.SetGate(cluster().Name, h.gate, "")
	h.goOn(2 * step)
	if d := h.docket("web"); len(h.gate.settled) != 1 || d.Enforcement.State != docket.Undid {
		t.Errorf("carried out %d times: %+v", len(h.gate.settled), d.Enforcement)
	}
}
