package enforce

import (
	"context"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Alias leads the new UID of a restored root to its docket.
type Alias struct {
	Docket  docket.Key `json:"docket"`
	UID     string     `json:"uid"`
	Pending bool       `json:"pending"` // an undo is under way: whose the new UID is, is not known yet
}

// AliasKey is the record of restored ingresses of one name.
func AliasKey(cluster, namespace, name string) string {
	return "alias/" + cluster + "/" + namespace + "/" + name
}

// AliasUIDKey is the record that leads the UID of a restored ingress to its docket.
func AliasUIDKey(cluster, uid string) string { return "alias-uid/" + cluster + "/" + uid }

func (e *Enforcer) setAlias(ctx context.Context, d docket.Docket, uid string, pending bool) error {
	if d.Enforcement.Action != docket.DeleteIngress {
		return nil
	}
	if uid != "" {
		if _, err := ledger.UpdateRecord(ctx, e.Store, AliasUIDKey(d.Key.Cluster, uid), func(k *docket.Key) (bool, error) {
			changed := *k != d.Key
			*k = d.Key
			return changed, nil
		}); err != nil {
			return err
		}
	}
	_, err := ledger.UpdateRecord(ctx, e.Store, AliasKey(d.Key.Cluster, d.Root.Namespace, d.Root.Name), func(a *Alias) (bool, error) {
		next := Alias{Docket: d.Key, UID: uid, Pending: pending}
		changed := *a != next
		*a = next
		return changed, nil
	})
	return err
}

// freeAlias gives a name back that an undo reserved. A name that another docket's root
// bears by now stays as it is.
func (e *Enforcer) freeAlias(ctx context.Context, d docket.Docket) error {
	if d.Enforcement.Action != docket.DeleteIngress {
		return nil
	}
	_, err := ledger.UpdateRecord(ctx, e.Store, AliasKey(d.Key.Cluster, d.Root.Namespace, d.Root.Name), func(a *Alias) (bool, error) {
		free := a.Pending && a.Docket == d.Key
		if free {
			*a = Alias{Docket: d.Key}
		}
		return free, nil
	})
	return err
}
