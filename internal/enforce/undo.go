package enforce

import (
	"context"
	"errors"
	"fmt"

	"github.com/k8guard/k8guard/internal/crash"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Undo takes an enforcement back and says what it did. It restores only what is still
// ours; otherwise it stops and says who changed it. It works under a freeze.
func (e *Enforcer) Undo(ctx context.Context, key docket.Key, asked docket.Undo) (string, error) {
	asked.At = e.Now().UTC()
	if err := e.there(ctx); err != nil {
		return "", fmt.Errorf("undo of %s: %w", key, err)
	}
	d, err := ledger.Update(ctx, e.Store, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if err := e.ours(key, d); err != nil {
			return d, nil, false, err
		}
		next, entries, err := docket.BeginUndo(d, asked)
		return next, entries, entries != nil, err
	})
	if err != nil {
		return "", err
	}
	crash.At(crash.MidUndo)
	return e.restore(ctx, d)
}

func (e *Enforcer) restore(ctx context.Context, d docket.Docket) (string, error) {
	asked := d.Enforcement.ID
	d, err := ledger.Update(ctx, e.Store, d.Key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, changed := docket.CarryUndo(d)
		return next, nil, changed, nil
	})
	if err != nil {
		return "", err
	}
	// Who was paused since the docket was read may find that another has ended it: what people
	// did since then is theirs.
	if d.Enforcement == nil || d.Enforcement.ID != asked || d.Enforcement.State != docket.Undoing {
		return "another has carried the undo out or ended it meanwhile; the case's history says how", nil
	}
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
	e.counts.undone(d, resultStopped)
	return fmt.Errorf("undo of %s stopped: %w", d.Root, why)
}

func (e *Enforcer) restored(ctx context.Context, d docket.Docket, newUID, note string) error {
	if err := e.setAlias(ctx, d, newUID, false); err != nil {
		return err
	}
	if !d.Enforcement.Undo.Own { // a tenant must not be able to stop enforcement for everyone
		// First, and once by its ID: a kill in between must not lose it for the breaker.
		if err := e.Control.CountUndo(ctx, e.Cluster, d.Enforcement.ID, e.Config.Enforce.Breaker.UndosPerHour); err != nil {
			return err
		}
	}
	if _, err := ledger.Update(ctx, e.Store, d.Key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries := docket.Restored(d, newUID, note, e.Config.Enforce.CoolOff, e.Now().UTC())
		return next, entries, entries != nil, nil
	}); err != nil {
		return err
	}
	e.counts.undone(d, resultDone)
	e.Log.Info("undone", "root", d.Root.String(), "enforcement", d.Enforcement.ID, "by", d.Enforcement.Undo.By, "reason", d.Enforcement.Undo.Reason, "cluster", d.Cluster)
	e.eventUndone(ctx, d, newUID)
	return nil
}

// final stops an undo that the server refused for good; a lost answer keeps it open.
func final(err error) error {
	if errors.Is(err, errRefused) {
		return stopped{err.Error()}
	}
	return err
}
