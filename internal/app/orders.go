package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
	"github.com/k8guard/k8guard/internal/report"
)

// MirrorFile is the name of the report's copy of the ledger in data.dir; it may be deleted.
const MirrorFile = "mirror.db"

// settleLimit is how long a freeze waits for acts that had begun.
const settleLimit = 10 * time.Second

// mirrorLag is how far the mirror is behind the ledger at most, while both are well.
const mirrorLag = 6 * time.Second

// reportApart is the target "report" over Cassandra: pages, and the commands of people, whose
// orders go over the ledger to whoever acts.
func reportApart(ctx context.Context, s Settings) error {
	in := newInstance(s)
	return in.early(ctx, in.reportApart)
}

// reportApart is the rest of it.
func (in *instance) reportApart(ctx context.Context) error {
	if err := in.wireRules(); err != nil {
		return err
	}
	settings, err := in.cassandraSettings()
	if err != nil {
		return err
	}
	if err := makeDataDir(in.Config.Data.Dir); err != nil {
		return err
	}
	l, err := patient(ctx, in, "Cassandra", cassandra.Away, func() (*cassandra.Ledger, error) {
		return whole(ctx, func() (*cassandra.Ledger, error) {
			return cassandra.OpenReport(ctx, settings, filepath.Join(in.Config.Data.Dir, MirrorFile))
		})
	})
	if err != nil {
		return err
	}
	in.store, in.shown, in.ping = l, l, l.Ping
	to := &postman{in: in}
	return errors.Join(in.order(ctx, to, l), to.close(ctx), l.Close())
}

// order serves the pages and the socket.
func (in *instance) order(ctx context.Context, to *postman, l *cassandra.Ledger) error {
	if err := in.wireAction(to, namedClusters(in.Config), false); err != nil {
		return err
	}
	if err := errors.Join(in.learnCluster(ctx), in.wireLogin(ctx)); err != nil {
		return err
	}
	pages, local, err := in.doors()
	if err != nil {
		return err
	}
	socket, err := listenSocket(ctx, in.Config)
	if err != nil {
		return err
	}
	return in.alone(ctx, pages, to.open, func(ctx context.Context) error { l.Run(ctx); return nil },
		func(ctx context.Context) error { return serveHTTP(ctx, socket, local) })
}

// orders is the desk of a report whose actions are other processes.
type orders struct{ in *instance }

// Undo implements report.Control.
func (o orders) Undo(ctx context.Context, caseID, by, reason string, own bool) (string, error) {
	return o.in.action.Undo(ctx, caseID, docket.Undo{By: by, Reason: reason, Own: own})
}

// Freeze implements report.Control: it waits a while for the acts that had begun.
func (o orders) Freeze(ctx context.Context, scope, by, reason string) error {
	if err := o.known(scope); err != nil {
		return err
	}
	if err := o.in.control.Freeze(ctx, scope, by, reason); err != nil {
		return err
	}
	// What had begun just before may not be in the mirror yet: its first word is no answer.
	from := o.in.Now()
	for end := from.Add(settleLimit); ; {
		open, err := o.open(ctx)
		if err != nil || open == 0 && o.in.Now().Sub(from) > mirrorLag {
			return err
		}
		if open > 0 && o.in.Now().After(end) {
			return fmt.Errorf("%s is frozen, but %d acts that had begun are still open: pending", scope, open)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// known refuses a scope that names nothing that this configuration knows.
func (o orders) known(scope string) error {
	var names []string
	for _, c := range acting(o.in.Config) {
		names = append(names, c.Cluster.Name)
	}
	return knownScope(o.in.engine.Rules(), names, scope)
}

// open counts the acts and undos whose outcome is not on record. An undo that nobody has begun
// to carry out writes nothing, and may come under a freeze.
func (o orders) open(ctx context.Context) (n int, err error) {
	q := ledger.ActQuery{What: ledger.InForce, Limit: 200}
	for {
		page, err := o.in.shown.Acts(ctx, q)
		if err != nil {
			return n, err
		}
		for _, r := range page.Rows {
			if s := r.Enforcement.State; s == docket.Intent || s == docket.Undoing && !r.Enforcement.Ordered() {
				n++
			}
		}
		if q.Cursor = page.Next; page.Next == "" {
			return n, nil
		}
	}
}

// Unfreeze implements report.Control.
func (o orders) Unfreeze(ctx context.Context, scope, by, reason string) error {
	return o.in.control.Lift(ctx, scope, by, reason)
}

// Status implements report.Control: what the ledger knows, and what this configuration says.
func (o orders) Status(ctx context.Context) (report.Status, error) {
	s, err := reader(o).Status(ctx)
	s.Mode = o.in.Config.Enforce.Mode
	s.Enforcement = enforcement(s.Mode, "") + " (as configured here; each action says why it does not)"
	if len(s.Freezes) == 0 {
		return s, err // nothing waits for what is open
	}
	if n, openErr := o.open(ctx); openErr == nil {
		for i := range s.Freezes {
			s.Freezes[i].Pending = n > 0
		}
	}
	return s, err
}
