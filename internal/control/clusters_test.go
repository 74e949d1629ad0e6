package control_test

import (
	"slices"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/control"
)

// What was seen of each cluster is there for others, and after a restart; who was forgotten is not.
func TestClustersAreOnRecord(t *testing.T) {
	clock, records := newClock(), open(t, t.TempDir())
	c := control.New(records, clock.now)
	began := clock.at
	must(t, c.Watch(t.Context(), v1.Cluster{Name: "west", UID: "w"}, control.Signs{Judged: 9, Violating: 2}, control.Limits{}))
	clock.at = clock.at.Add(time.Hour)
	must(t, c.Watch(t.Context(), v1.Cluster{Name: "east", UID: "e"}, control.Signs{Judged: 5, Stale: "cluster east is silent", StaleFor: time.Minute}, control.Limits{}))
	want := []control.Known{
		{UID: "e", Name: "east", Judged: 5, Stale: "cluster east is silent", Since: clock.at.Add(-time.Minute), Looked: clock.at},
		{UID: "w", Name: "west", Judged: 9, Violating: 2, Looked: began},
	}
	for _, who := range []*control.Control{c, control.New(records, clock.now)} {
		got, err := who.Clusters(t.Context())
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%+v, %v; want %+v", got, err, want)
		}
	}
	must(t, c.Watch(t.Context(), v1.Cluster{Name: "east", UID: "e"}, control.Signs{Judged: 5}, control.Limits{}))
	if got, err := c.Clusters(t.Context()); err != nil || got[0].Stale != "" || !got[0].Since.IsZero() {
		t.Errorf("whole again: %+v, %v", got, err)
	}
	clock.at = began.Add(30 * 24 * time.Hour)
	if got, err := c.Clusters(t.Context()); err != nil || len(got) != 1 || got[0].Name != "east" {
		t.Errorf("after a month: %+v, %v", got, err)
	}
}
