package enforce

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Settle closes an intent or an undo whose outcome is open because its process died or
// the answer got lost. It looks at the object; what is not to be seen is fenced off before
// the docket goes on.
func (e *Enforcer) Settle(ctx context.Context, key docket.Key) error {
	d, err := e.Store.Load(ctx, key)
	if err != nil || d.Enforcement == nil {
		return err
	}
	if d.Enforcement.State != docket.Intent && d.Enforcement.State != docket.Undoing {
		return nil
	}
	if err := e.ours(key, d); err != nil {
		return fmt.Errorf("settling %s: %w", d.Enforcement.ID, err)
	}
	if err := e.there(ctx); err != nil {
		return fmt.Errorf("settling %s: %w", d.Enforcement.ID, err)
	}
	switch d.Enforcement.State {
	case docket.Intent:
		return e.settle(ctx, d)
	case docket.Undoing:
		_, err := e.restore(ctx, d)
		return err
	}
	return nil
}

func (e *Enforcer) settle(ctx context.Context, d docket.Docket) error {
	d, err := e.take(ctx, d)
	if err != nil {
		return err
	}
	if d.Enforcement.Sending.IsZero() {
		return e.refuse(ctx, d, Refusal{Rule: 16, Name: "explainable", Text: "stopped before the act; nothing was sent"})
	}
	for range conflicts {
		seen, err := e.effect(ctx, d)
		if err != nil {
			return fmt.Errorf("settling %s: %w", d.Enforcement.ID, err)
		}
		if seen.done {
			return e.did(ctx, d, seen.version, seen.text)
		}
		if seen.unclear {
			return e.obscure(ctx, d, seen.text)
		}
		if seen.gone {
			return e.refuse(ctx, d, Refusal{Rule: 6, Name: "re-verify", Text: seen.text})
		}
		err = e.touch(ctx, d, seen)
		if errors.Is(err, errConflict) || apierrors.IsNotFound(err) {
			continue // what was seen has changed: look again
		}
		if err != nil {
			return fmt.Errorf("fencing %s: %w", d.Enforcement.ID, err)
		}
		return e.refuse(ctx, d, Refusal{Rule: 7, Name: "preconditions", Text: "the outcome was open; the object was touched, so nothing of it can take effect any more"})
	}
	return fmt.Errorf("settling %s: the object changed %d times", d.Enforcement.ID, conflicts)
}

// take makes this process the holder of an intent, so that its former holder, dead or
// only paused, starts nothing new.
func (e *Enforcer) take(ctx context.Context, d docket.Docket) (docket.Docket, error) {
	return ledger.Update(ctx, e.Store, d.Key, func(x docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if x.Enforcement == nil || x.Enforcement.ID != d.Enforcement.ID || x.Enforcement.State != docket.Intent {
			return x, nil, false, fmt.Errorf("settling %s: %w", d.Enforcement.ID, errTaken)
		}
		if x.Enforcement.Holder == e.Holder {
			return x, nil, false, nil
		}
		x.Enforcement.Holder = e.Holder
		return x, nil, true, nil
	})
}

// effect is what the object says about an act.
type effect struct {
	done    bool
	gone    bool // the root is gone, by another hand
	unclear bool // another hand wrote since, and ours may have before
	uid     string
	version string // the object's resourceVersion as it was seen
	text    string
}

func (e *Enforcer) effect(ctx context.Context, d docket.Docket) (effect, error) {
	if d.Enforcement.Action == docket.DeleteIngress {
		o, err := e.Client.NetworkingV1().Ingresses(d.Root.Namespace).Get(ctx, d.Root.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) || err == nil && !d.Holds(string(o.UID)) {
			return effect{done: true, text: "settled: the ingress is gone"}, nil
		}
		if err != nil {
			return effect{}, err
		}
		return effect{uid: string(o.UID), version: o.ResourceVersion}, nil
	}
	w, err := e.workload(ctx, d.Root)
	o := w.meta
	switch {
	case apierrors.IsNotFound(err) || err == nil && !d.Holds(string(o.UID)):
		return effect{gone: true, text: d.Root.String() + " is gone"}, nil
	case err != nil:
		return effect{}, err
	case w.stopped() && scaledBy(w) == manager(d.Enforcement.ID):
		return effect{done: true, version: o.ResourceVersion, text: "settled: the object shows our write"}, nil
	case o.Generation != d.Enforcement.Prior.Generation && !unscaled(w, *d.Enforcement):
		return effect{unclear: true, text: "K8Guard lost the answer to its act, and the object was changed before it could look: nobody can tell whether the act took effect"}, nil
	}
	return effect{uid: string(o.UID), version: o.ResourceVersion}, nil
}

// unscaled reports whether the replicas, or the suspension, are surely untouched since the prior state was read:
// their holders are the same, or our fence stands, which went out on an object without our
// effect and let none follow.
func unscaled(w workload, act docket.Enforcement) bool {
	if prior := act.Prior.ScaledBy; prior != "" && prior == lastScaled(w) {
		return true
	}
	return slices.ContainsFunc(act.Fences, func(f docket.Fence) bool { return f.Token == w.meta.Annotations[Annotation] })
}

func (e *Enforcer) obscure(ctx context.Context, d docket.Docket, why string) error {
	_, err := ledger.Update(ctx, e.Store, d.Key, func(x docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if !e.holds(x, d) {
			return x, nil, false, fmt.Errorf("%s: %w", d.Enforcement.ID, errTaken)
		}
		next, entries := docket.Obscure(x, why, e.Now().UTC())
		return next, entries, entries != nil, nil
	})
	if err == nil {
		e.counts.acted(d, resultUnclear)
	}
	e.Log.Warn("an act's outcome is unclear; a person decides", "root", d.Root.String(), "enforcement", d.Enforcement.ID)
	return err
}

// touch records a fence, then sends it on the object as it was seen without our effect: a
// write that landed since makes it conflict.
func (e *Enforcer) touch(ctx context.Context, d docket.Docket, seen effect) error {
	fence := docket.Fence{Token: d.Enforcement.ID + "/" + uuid.NewString()[:8], At: e.Now().UTC()}
	if _, err := ledger.Update(ctx, e.Store, d.Key, func(x docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if !e.holds(x, d) {
			return x, nil, false, fmt.Errorf("%s: %w", d.Enforcement.ID, errTaken)
		}
		next, entries := docket.AddFence(x, fence)
		return next, entries, true, nil
	}); err != nil {
		return err
	}
	return e.fence(ctx, d.Root, Live{UID: seen.uid, ResourceVersion: seen.version}, fence.Token)
}
