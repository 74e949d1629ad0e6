package enforce

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/crash"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Undo takes an enforcement back and says what it did. It restores only what is still
// ours; otherwise it stops and says who changed it. It works under a freeze.
func (e *Enforcer) Undo(ctx context.Context, key docket.Key, by, reason string) (string, error) {
	if err := e.there(ctx); err != nil {
		return "", fmt.Errorf("undo of %s: %w", key, err)
	}
	d, err := ledger.Update(ctx, e.Store, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if err := e.ours(key, d); err != nil {
			return d, nil, false, err
		}
		next, entries, err := docket.BeginUndo(d, docket.Undo{By: by, Reason: reason, At: e.Now().UTC()})
		return next, entries, entries != nil, err
	})
	if err != nil {
		return "", err
	}
	crash.At(crash.MidUndo)
	return e.restore(ctx, d)
}

func (e *Enforcer) restore(ctx context.Context, d docket.Docket) (string, error) {
	for range conflicts {
		newUID, note, err := e.bringBack(ctx, d)
		var stop stopped
		switch {
		case errors.Is(err, errConflict):
			continue
		case errors.As(err, &stop):
			return "", e.stopUndo(ctx, d, stop)
		case err != nil:
			return "", fmt.Errorf("undo of %s is still open, it is settled at the next try: %w", d.Enforcement.ID, err)
		}
		crash.At(crash.AfterUndo)
		return note, e.restored(ctx, d, newUID, note)
	}
	return "", fmt.Errorf("undo of %s: the object changed %d times; try again", d.Enforcement.ID, conflicts)
}

// stopped ends an undo before it wrote: what is there now is not ours.
type stopped struct{ why string }

func (s stopped) Error() string { return s.why }

func (e *Enforcer) stopUndo(ctx context.Context, d docket.Docket, why stopped) error {
	// The name first: a crash in between leaves the undo open, and never the name reserved.
	if err := e.freeAlias(ctx, d); err != nil {
		return err
	}
	if _, err := ledger.Update(ctx, e.Store, d.Key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries := docket.StopUndo(d, why.why, e.Now().UTC())
		return next, entries, entries != nil, nil
	}); err != nil {
		return err
	}
	return fmt.Errorf("undo of %s stopped: %w", d.Root, why)
}

func (e *Enforcer) restored(ctx context.Context, d docket.Docket, newUID, note string) error {
	if err := e.setAlias(ctx, d, newUID, false); err != nil {
		return err
	}
	// First, and once by its ID: a kill in between must not lose it for the breaker.
	if err := e.Control.CountUndo(ctx, d.Enforcement.ID, e.Config.Enforce.Breaker.UndosPerHour); err != nil {
		return err
	}
	if _, err := ledger.Update(ctx, e.Store, d.Key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries := docket.Restored(d, newUID, note, e.Config.Enforce.CoolOff, e.Now().UTC())
		return next, entries, entries != nil, nil
	}); err != nil {
		return err
	}
	e.Log.Info("undone", "root", d.Root.String(), "enforcement", d.Enforcement.ID, "by", d.Enforcement.Undo.By)
	e.eventUndone(ctx, d, newUID)
	return nil
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
		return e.resume(ctx, d, w)
	}
	return e.scaleBack(ctx, d, w)
}

// scaleBack gives a workload its replicas back, if the last word on them is still ours.
func (e *Enforcer) scaleBack(ctx context.Context, d docket.Docket, w workload) (newUID, note string, err error) {
	by := manager(d.Enforcement.ID) + "-undo"
	want := *d.Enforcement.Prior.Replicas
	note = fmt.Sprintf("%s is back at %d replicas", d.Root, want)
	now, who := w.replicas, scaledBy(w)
	switch {
	case now == want && who == by:
		return "", note, nil
	case who == by:
		return "", altered(d, fmt.Sprintf("it has %d replicas now", now)), nil
	case now != 0 || who != manager(d.Enforcement.ID):
		if who == "" {
			who = "a writer that the API does not name"
		}
		return "", "", stopped{fmt.Sprintf("it has %d replicas now, set by %s; not K8Guard's to change", now, who)}
	}
	live := Live{UID: string(w.meta.UID), ResourceVersion: w.meta.ResourceVersion}
	// A dry run shows most of what resets a value before anything is written. That it cannot
	// be made is no reason to leave the workload down.
	if err := e.back(ctx, d.Root, live, want, by, []string{metav1.DryRunAll}); errors.Is(err, errReset) {
		return "", "", stopped{err.Error()}
	}
	err = send(ctx, func(ctx context.Context) error { return e.back(ctx, d.Root, live, want, by, nil) })
	if errors.Is(err, errReset) {
		return "", altered(d, err.Error()), nil
	}
	return "", note, final(err)
}

// altered is the note of an undo that wrote, and of whose write something made another value.
func altered(d docket.Docket, how string) string {
	return fmt.Sprintf("%s was scaled back, but not to %d replicas: %s; see what changes the value, and scale it by hand",
		d.Root, *d.Enforcement.Prior.Replicas, how)
}

// final stops an undo that the server refused for good; a lost answer keeps it open.
func final(err error) error {
	if errors.Is(err, errRefused) {
		return stopped{err.Error()}
	}
	return err
}
