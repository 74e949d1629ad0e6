package action

import (
	"context"
	"fmt"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// orderUndo asks whoever has the docket to take its enforcement back: the undo is begun on
// record, and carried out there. Where nobody can be told, it is found at the next look.
func (e *Engine) orderUndo(ctx context.Context, d docket.Docket, u docket.Undo) (string, error) {
	u.Ordered = true
	d, err := ledger.Update(ctx, e.Ledger, d.Key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		next, entries, err := docket.BeginUndo(d, u)
		return next, entries, entries != nil, err
	})
	if err != nil {
		return "", err
	}
	if err := e.Bus.Pass(ctx, v1.Message{Wake: &v1.Wake{V: v1.Version, Docket: d.Key.String(), Order: true}}); err != nil {
		return fmt.Sprintf("the undo of %s is on record, and is carried out at the next look at it (%v)", d.Root, err), nil
	}
	return fmt.Sprintf("the undo of %s is on record; whoever acts on cluster %s carries it out now", d.Root, d.Cluster), nil
}
