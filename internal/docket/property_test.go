package docket_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// Whatever is seen, in whatever order: see checks purity and idempotence at each step, and
// here is checked that cases are unique and that only a full look resolves.
func TestAnyLifeKeepsItsPromises(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		l := begin(t)
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			l.now = l.now.Add(time.Duration(rapid.IntRange(0, 30).Draw(rt, "hours")) * time.Hour)
			sources := rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"a", "b", "c"}), 0, 3, rapid.ID[string]).Draw(rt, "sources")
			v := bad(sources...)
			v.State = rapid.SampledFrom([]v1.VerdictState{v1.Violated, v1.Violated, v1.Unknown}).Draw(rt, "state")
			before := l.d
			l.see(nil, v)
			ids := map[string]bool{}
			for _, c := range l.d.Cases {
				if ids[c.ID] {
					rt.Fatalf("case %s twice", c.ID)
				}
				ids[c.ID] = true
			}
			for _, source := range sources {
				if c := l.d.Find(id(source)); c == nil || c.State == "resolved" || !c.LastSeen.Equal(l.now) {
					rt.Fatalf("%s is seen and has no case: %+v", source, c)
				}
				if rapid.Bool().Draw(rt, "open") && l.d.Find(id(source)).State == "standing" {
					l.open(source)
				}
			}
			for _, c := range before.Cases {
				after := l.d.Find(c.ID)
				if v.State == v1.Unknown && (after == nil || after.State == "resolved" && c.State != "resolved") {
					rt.Fatalf("an unknown verdict resolved %+v", c)
				}
			}
		}
		if t.Failed() {
			rt.Fatalf("see says what is wrong")
		}
	})
}
