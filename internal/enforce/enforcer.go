package enforce

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/crash"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/policy"
	"github.com/k8guard/k8guard/internal/rule"
)

// Sight tells what action knows of a docket's freshness.
type Sight interface {
	// Sighted reports whether the docket was sighted within two resyncs, and how many roots
	// the last complete inventory counted (0: none yet).
	Sighted(key docket.Key) (fresh bool, judged int)
}

// Store is the part of the ledger that enforcement needs.
type Store interface {
	ledger.Dockets
	ledger.Records
}

// Settings is what an Enforcer is made of.
type Settings struct {
	Client  kubernetes.Interface // of action's account
	Dynamic dynamic.Interface    // of action's account, to list what has no typed client
	Skew    func() time.Duration // the API server's clock minus ours, as last seen
	Cluster v1.Cluster
	Config  config.Config
	Teams   []config.Team // of the teams file
	Store   Store
	Control *control.Control
	Engine  *rule.Engine
	Sight   Sight
	Holder  string // this process, new at each start
	Now     func() time.Time
	Log     *slog.Logger
	Metrics *Metrics // shared by the gates of all clusters; nil counts nothing
}

// Enforcer acts and undoes, through the gate.
type Enforcer struct {
	Settings
	metas    map[string]rule.Meta
	failures atomic.Int32 // of the gate's reads, in a row
	counts   counter
}

// New returns an enforcer. It reads nothing yet: see [Enforcer.Preflight].
func New(s Settings) *Enforcer {
	metas := map[string]rule.Meta{}
	for _, m := range s.Engine.Rules() {
		metas[m.ID] = m
	}
	return &Enforcer{Settings: s, metas: metas, counts: s.Metrics.of(s.Cluster.Name)}
}

// Enforce carries one hard action through: intent, gate, write, record. A refusal is on
// record in the docket and is no error.
func (e *Enforcer) Enforce(ctx context.Context, key docket.Key, cases []string, pol config.Policy) error {
	crash.At(crash.BeforeLedger)
	id := "e-" + uuid.NewString()[:13]
	d, err := ledger.Update(ctx, e.Store, key, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
		if err := e.ours(key, d); err != nil {
			return d, nil, false, err
		}
		next, entries, err := docket.Intend(d, e.intent(d, id, cases, pol))
		return next, entries, true, err
	})
	if err != nil {
		return fmt.Errorf("intent for %s: %w", key, err)
	}
	crash.At(crash.AfterLedger)
	return e.carry(ctx, d, pol)
}

func (e *Enforcer) intent(d docket.Docket, id string, cases []string, pol config.Policy) docket.Enforcement {
	out := docket.Enforcement{ID: id, Action: policy.Action(d.Root.Kind), Target: d.Root, Who: "policy " + pol.Name,
		Holder: e.Holder, IntentAt: e.Now().UTC()}
	for _, caseID := range cases {
		c := d.Find(caseID)
		if c == nil || c.State != docket.Open {
			continue
		}
		out.Cases = append(out.Cases, c.ID)
		out.Rules = append(out.Rules, c.Rule)
		out.Versions = append(out.Versions, c.RuleVersion)
		out.Evidence = append(out.Evidence, c.Source+": "+c.Evidence)
		for _, n := range c.Notices {
			if n.Purpose == docket.Warning && n.Result == docket.Sent && !n.Beside {
				out.Warnings = append(out.Warnings, n.Key)
			}
		}
	}
	return out
}
