package action

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// The mark is told once, when the last warning was confirmed, and well before the act.
func TestTheMarkIsToldOnceAndBeforeTheAct(t *testing.T) {
	w := newWorld(t)
	w.sees("web")
	w.pass(12*time.Hour + 30*time.Minute) // three warnings, six hours apart
	if n := w.marks.Load(); n != 1 || w.docket("web").Enforcement != nil {
		t.Fatalf("%d marks, enforcement %+v", n, w.docket("web").Enforcement)
	}
	w.start() // a new process knows that it was told
	w.sees("web")
	w.pass(time.Hour)
	if n := w.marks.Load(); n != 1 {
		t.Errorf("%d marks after a restart", n)
	}
	w.pass(3 * time.Hour)
	if d := w.docket("web"); d.Enforcement == nil || d.Enforcement.State != docket.Done || w.marks.Load() != 1 {
		t.Errorf("%d marks, %+v", w.marks.Load(), d.Enforcement)
	}
}
