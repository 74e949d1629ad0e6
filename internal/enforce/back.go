package enforce

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/docket"
)

// way is how the one field that an act changed is given back.
type way struct {
	ours bool   // it has the value that the act wrote
	back bool   // it has the value from before the act
	has  string // what it has now, in words
	done string // what the undo says when it has given it back
	// other is what it says when it wrote, and something made another value.
	other func(how string) string
	write func(ctx context.Context, live Live, by string, dry []string) error
}

func (e *Enforcer) bringBack(ctx context.Context, d docket.Docket) (newUID, note string, err error) {
	if d.Enforcement.Action == docket.DeleteIngress {
		return e.recreate(ctx, d)
	}
	w, err := e.workload(ctx, d.Root)
	if apierrors.IsNotFound(err) || err == nil && !d.Holds(string(w.meta.UID)) {
		return "", "", stopped{d.Root.String() + " is gone; there is nothing to take back"}
	}
	if err != nil {
		return "", "", err
	}
	if w.can {
		note, err = e.giveBack(ctx, d, w, e.resuming(d, w))
	} else {
		note, err = e.giveBack(ctx, d, w, e.scaling(d, w))
	}
	return "", note, err
}

// giveBack writes the field as it was, if the last word on it is still ours.
func (e *Enforcer) giveBack(ctx context.Context, d docket.Docket, w workload, to way) (note string, err error) {
	by, who := manager(d.Enforcement.ID)+"-undo", scaledBy(w)
	switch {
	case to.back && who == by:
		return to.done, nil
	case who == by:
		return to.other(to.has + " now"), nil
	case !to.ours || who != manager(d.Enforcement.ID):
		if who == "" {
			who = "a writer that the API does not name"
		}
		return "", stopped{fmt.Sprintf("%s now, set by %s; not K8Guard's to change", to.has, who)}
	}
	live := Live{UID: string(w.meta.UID), ResourceVersion: w.meta.ResourceVersion}
	// A dry run shows most of what resets a value before anything is written. That it cannot
	// be made is no reason to leave the workload down.
	if err := to.write(ctx, live, by, []string{metav1.DryRunAll}); errors.Is(err, errReset) {
		return "", stopped{err.Error()}
	}
	err = send(ctx, func(ctx context.Context) error { return to.write(ctx, live, by, nil) })
	if errors.Is(err, errReset) {
		return to.other(err.Error()), nil
	}
	return to.done, final(err)
}

func (e *Enforcer) scaling(d docket.Docket, w workload) way {
	want := *d.Enforcement.Prior.Replicas
	return way{
		ours: w.replicas == 0, back: w.replicas == want, has: "it has " + docket.Replicas(w.replicas),
		done: fmt.Sprintf("%s is back at %s", d.Root, docket.Replicas(want)),
		other: func(how string) string {
			return fmt.Sprintf("%s was scaled back, but not to %s: %s; see what changes the value, and scale it by hand", d.Root, docket.Replicas(want), how)
		},
		write: func(ctx context.Context, live Live, by string, dry []string) error {
			return e.back(ctx, d.Root, live, want, by, dry)
		},
	}
}

func (e *Enforcer) resuming(d docket.Docket, w workload) way {
	return way{
		ours: w.suspended, back: !w.suspended, has: fmt.Sprintf("its suspend is %t", w.suspended),
		done: resumed(d.Root, w),
		other: func(how string) string {
			return fmt.Sprintf("%s was resumed, and is suspended all the same: %s; see what changes the value, and resume it by hand", d.Root, how)
		},
		write: func(ctx context.Context, live Live, by string, dry []string) error {
			_, err := e.suspend(ctx, d.Root, live, false, by, dry)
			return err
		},
	}
}
