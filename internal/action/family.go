package action

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/outbox"
)

// familyKey names the roots that take each other's place: pods and jobs by the generateName
// that made their names, else by their service account; all else by its name. Serial is true
// for what is made in series, which needs no history to be known as such.
func familyKey(o v1.Observation) (key string, serial bool) {
	by, value := "name", o.Root.Name
	if o.Root.Kind == "Pod" || o.Root.Kind == "Job" {
		switch {
		case o.GenerateName != "":
			by, value, serial = "generateName", o.GenerateName, true
		case o.ServiceAccount != "":
			by, value = "serviceAccount", o.ServiceAccount
		}
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{o.Cluster.UID, o.Root.Namespace, o.Root.Kind, by, value}, "\x00")))
	return "family/" + hex.EncodeToString(sum[:16]), serial
}

// family buries a root that is gone, and looks up what one that begins takes the place of.
func (e *Engine) family(ctx context.Context, key docket.Key, o v1.Observation) (string, *docket.Before, error) {
	if o.State != v1.Gone && !violates(o) {
		return "", nil, nil
	}
	d, err := e.Ledger.Load(ctx, key)
	switch {
	case err != nil:
		return "", nil, err
	case o.State == v1.Gone:
		return "", nil, e.bury(ctx, o, d)
	case d.Version > 0:
		return "", nil, nil
	}
	return e.join(ctx, o)
}

func violates(o v1.Observation) bool {
	return slices.ContainsFunc(o.Verdicts, func(v v1.Verdict) bool { return v.State == v1.Violated })
}

// join says of a docket that begins whether its root is a throw-away one, and what it takes
// the place of.
func (e *Engine) join(ctx context.Context, o v1.Observation) (family string, before *docket.Before, err error) {
	key, serial := familyKey(o)
	f, err := ledger.Read[docket.Family](ctx, e.Ledger, key)
	if err != nil {
		return "", nil, err
	}
	f.Forget(e.Now())
	if serial || f.Short(e.Now()) {
		family = key
	}
	return family, f.Before(o.Root.UID), nil
}

// bury notes a root that is gone, for whatever takes its place. It comes before the docket is
// closed: a crash in between repeats it, and it is noted once.
func (e *Engine) bury(ctx context.Context, o v1.Observation, d docket.Docket) error {
	if d.Version == 0 || !d.GoneAt.IsZero() || d.FamilyKey == "" {
		return nil
	}
	_, err := ledger.UpdateRecord(ctx, e.Ledger, d.FamilyKey, func(f *docket.Family) (bool, error) {
		f.Forget(e.Now())
		return f.Bury(docket.Member{Root: d.Root, Created: d.RootCreated, Gone: o.At}), nil
	})
	return err
}

// shared is a docket with what its family was told.
func (e *Engine) shared(ctx context.Context, d docket.Docket) (docket.Docket, bool, error) {
	if !d.ThrowAway(e.Now()) {
		return d, false, nil
	}
	f, err := ledger.Read[docket.Family](ctx, e.Ledger, d.Family)
	if err != nil {
		return d, false, err
	}
	f.Forget(e.Now())
	next, changed := docket.Share(d, f.Told)
	return next, changed, nil
}

// share keeps what the family of a docket was told.
func (e *Engine) share(ctx context.Context, d docket.Docket) (docket.Docket, error) {
	if _, changed, err := e.shared(ctx, d); err != nil || !changed {
		return d, err
	}
	f, err := ledger.Read[docket.Family](ctx, e.Ledger, d.Family)
	if err != nil {
		return d, err
	}
	f.Forget(e.Now())
	return ledger.Update(ctx, e.Ledger, d.Key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, changed := docket.Share(d, f.Told)
		return next, nil, changed, nil
	})
}

// settleFamily keeps how a notice ended for the roots to come: the notice itself is deleted
// with the dockets that it was about.
func (e *Engine) settleFamily(ctx context.Context, key docket.Key, n outbox.Notice) error {
	d, err := e.Ledger.Load(ctx, key)
	if err != nil || d.Family == "" {
		return err
	}
	at := n.LastTry
	if at.IsZero() {
		at = e.Now().UTC()
	}
	_, err = ledger.UpdateRecord(ctx, e.Ledger, d.Family, func(f *docket.Family) (bool, error) {
		return f.Settle(n.Key, n.Ending(), at), nil
	})
	return err
}

// tellFamily notes a notice with the family of a docket, before any of its roots carries it:
// a crash in between leaves no second warning.
func (e *Engine) tellFamily(ctx context.Context, key docket.Key, n outbox.Notice, refs map[string]docket.NoticeRef) error {
	d, err := e.Ledger.Load(ctx, key)
	if err != nil || !d.ThrowAway(e.Now()) {
		return err
	}
	_, err = ledger.UpdateRecord(ctx, e.Ledger, d.Family, func(f *docket.Family) (bool, error) {
		changed := false
		f.Forget(e.Now())
		for id, ref := range refs {
			if c := d.Find(id); c != nil {
				ref.Key, ref.Case, ref.Result, ref.At = n.Key, id, docket.Pending, n.Digest.At
				changed = f.Tell(c.Signature(), ref) || changed
			}
		}
		return changed, nil
	})
	return err
}
