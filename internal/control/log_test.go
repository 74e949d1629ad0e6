package control_test

import (
	"fmt"
	"slices"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/control"
)

func TestTheLogKeepsWhoChangedASwitchAndWhy(t *testing.T) {
	ctx, clock := t.Context(), newClock()
	c := control.New(open(t, t.TempDir()), clock.now)
	var told []control.Event
	c.OnChange(func(e control.Event) { told = append([]control.Event{e}, told...) })
	for i, act := range []func() error{
		func() error { return c.Freeze(ctx, "rule/X", "ada", "registry moves") },
		func() error { return c.Freeze(ctx, "rule/X", "bob", "again") }, // the switch keeps its first reason
		func() error { return c.Lift(ctx, "rule/X", "bob", "it has moved") },
		func() error { return c.Trip(ctx, v1.Cluster{UID: "k"}, "two undos") },
		func() error { return c.Trip(ctx, v1.Cluster{UID: "k"}, "three undos") }, // changes nothing
		func() error { return c.Close(ctx, "", "ada", "a drill") },
	} {
		if err := act(); err != nil {
			t.Fatal(i, err)
		}
	}
	if err := c.Lift(ctx, "rule/X", "bob", "once more"); err == nil {
		t.Error("lifted what is not frozen")
	}
	at := clock.at
	want := []control.Event{
		{At: at, What: control.EventClosed, By: "ada", Reason: "a drill"},
		{At: at, What: control.EventTripped, Reason: "two undos"},
		{At: at, What: control.EventUnfrozen, Scope: "rule/X", By: "bob", Reason: "it has moved"},
		{At: at, What: control.EventFrozen, Scope: "rule/X", By: "bob", Reason: "again"},
		{At: at, What: control.EventFrozen, Scope: "rule/X", By: "ada", Reason: "registry moves"}}
	if got, err := c.Log(ctx); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %+v", err, got)
	}
	if !slices.Equal(told, want) {
		t.Errorf("told was %+v", told)
	}
}

func TestTheLogIsBounded(t *testing.T) {
	c := control.New(open(t, t.TempDir()), newClock().now)
	for i := range 101 {
		for _, err := range []error{c.Freeze(t.Context(), "global", "ada", fmt.Sprint(i)), c.Lift(t.Context(), "global", "ada", fmt.Sprint(i))} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	got, err := c.Log(t.Context())
	if err != nil || len(got) != 200 || got[0].Reason != "100" || got[199].Reason != "1" {
		t.Errorf("%v: %d events", err, len(got))
	}
}
