package enforce

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/owner"
	"github.com/k8guard/k8guard/internal/policy"
)

// PermitKey and PermitValue are what people write into the permit ConfigMap.
const (
	PermitKey   = "enforcement"
	PermitValue = "enabled"
)

// facts reads all that the gate looks at, now, but the grant.
func (e *Enforcer) facts(ctx context.Context, d docket.Docket, live Live, pol config.Policy) Facts {
	fresh, judged := e.Sight.Sighted(d.Key)
	f := Facts{
		Now: e.Now(), Config: e.Config.Enforce, Cluster: e.Config.Cluster, Policy: pol, Metas: e.metas,
		Docket: d, Action: d.Enforcement.Action, Fresh: fresh, Judged: judged,
		Live: live, Enforcement: *d.Enforcement,
	}
	for _, id := range d.Enforcement.Cases {
		if c := d.Find(id); c != nil {
			f.Cases = append(f.Cases, *c)
			if x := policy.FindExemption(e.Config.Exemptions, d, *c, f.Now); x != nil {
				f.Exempt = x.Reason
			}
		}
	}
	f.Owner = e.owner(ctx, d.Root, live)
	f.Around = e.around(ctx, d)
	f.Notices, f.Owner.Err = e.notices(ctx, f.Cases, f.Owner.Err)
	f.Freeze = e.freeze(ctx, d.Enforcement.Rules)
	f.Permit = e.permit(ctx)
	f.Breaker = e.breaker(ctx)
	f.DryRun = e.dryRun(ctx, d, live)
	f.Admission = e.admission(ctx)
	return f
}

func (e *Enforcer) owner(ctx context.Context, root v1.Root, live Live) Owned {
	ns, err := e.Client.CoreV1().Namespaces().Get(ctx, root.Namespace, metav1.GetOptions{})
	if err != nil {
		return Owned{Err: err}
	}
	chain := owner.Chain{Config: e.Config.Owners, Teams: e.Teams, Domains: e.Config.Notify.Email.Domains}
	all, byRule := chain.Named(owner.Subject{Namespace: ns.Name, Labels: ns.Labels, Annotations: ns.Annotations,
		Root: root.String(), Workload: live.Annotations})
	return Owned{Owner: all, Owners: byRule}
}

// notices loads every notice that the cases refer to: the gate reads these, not a counter.
func (e *Enforcer) notices(ctx context.Context, cases []docket.Case, before error) ([]Told, error) {
	book := owner.Book{Config: e.Config.Notify, Teams: e.Teams}
	var told []Told
	seen := map[string]bool{}
	for _, c := range cases {
		for _, ref := range c.Notices {
			if seen[ref.Key] {
				continue
			}
			seen[ref.Key] = true
			n, err := ledger.Read[outbox.Notice](ctx, e.Store, ref.Key)
			if err != nil {
				return nil, errors.Join(before, err)
			}
			ids, _ := book.Reach(n.Channel, n.Owner)
			t := Told{Key: n.Key, Owner: n.Owner.Key(), Platform: n.Owner.Platform, Numbers: map[string]int{}, ActAt: map[string]time.Time{}}
			for _, item := range n.Digest.Items {
				t.Cases = append(t.Cases, item.Case)
				if n.CountsToday(item.Case, ids) {
					t.Confirmed = true
				} else {
					t.Unheard = append(t.Unheard, item.Case)
				}
				if item.Purpose == string(docket.Warning) {
					t.Numbers[item.Case], t.ActAt[item.Case] = item.N, item.ActAt()
				}
			}
			told = append(told, t)
		}
	}
	return told, before
}

func (e *Enforcer) freeze(ctx context.Context, rules []string) Switch {
	scope, err := e.Control.Frozen(ctx, e.Cluster.Name, rules...)
	return Switch{Err: err, On: scope != "", Text: scope}
}

func (e *Enforcer) breaker(ctx context.Context) Switch {
	own := func() (control.Breaker, error) {
		all, err := e.Control.Breakers(ctx)
		return all.Of(e.Cluster), err
	}
	b, err := own()
	if err == nil && !b.Open {
		err = e.clock(ctx)
		if err == nil {
			err = e.identity(ctx)
		}
		if err == nil {
			b, err = own()
		}
	}
	return Switch{Err: err, On: b.Open, Text: b.Reason}
}

// clock trips the breaker when our time and the API server's are too far apart.
func (e *Enforcer) clock(ctx context.Context) error {
	skew := e.Skew()
	if limit := e.Config.Enforce.Breaker.ClockSkew; skew > limit || -skew > limit {
		return e.Control.Trip(ctx, e.Cluster, clockText(e.Now(), skew, limit))
	}
	return nil
}

func clockText(ours time.Time, skew, limit time.Duration) string {
	const form = "2006-01-02 15:04:05 UTC"
	return fmt.Sprintf("the API server's clock says %s, ours %s: %s apart, more than %s; set them right before you close the breaker",
		ours.Add(skew).UTC().Format(form), ours.UTC().Format(form), skew.Round(time.Second), limit)
}

// word is how a refusal may quote a permit that permits nothing. What people wrote beside the
// usual words may tell of others, and is for who sees everything.
func word(v string) string {
	usual := []string{"", "disabled", "disable", "enabled", "enable", "off", "on", "no", "yes", "true", "false"}
	if slices.Contains(usual, strings.ToLower(strings.TrimSpace(v))) {
		return fmt.Sprintf("%q", v)
	}
	return "something else"
}

// Permit reads the permit for the report.
func (e *Enforcer) Permit(ctx context.Context) Switch { return e.permit(ctx) }

func (e *Enforcer) permit(ctx context.Context) Switch {
	name := e.Config.Enforce.Permit
	var cm *corev1.ConfigMap
	cm, err := e.Client.CoreV1().ConfigMaps(e.Config.Cluster.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return Switch{Err: err}
	}
	if v := cm.Data[PermitKey]; v != PermitValue {
		return Switch{Text: fmt.Sprintf("ConfigMap %s/%s says %s: %q, not %q", cm.Namespace, name, PermitKey, v, PermitValue), Word: word(v)}
	}
	return Switch{On: true, Text: PermitValue}
}

func (e *Enforcer) grant(ctx context.Context, key docket.Key) Grant {
	g, expires, over, err := e.Control.Ask(ctx, e.Cluster.UID, key.String())
	if over != "" {
		e.Log.Warn("over budget: none of the round is done", "docket", key.String(), "why", over,
			"next", "look at what became due at once, and raise enforce.budget only if it is right")
	}
	return Grant{Err: err, ID: g.Grant, Expires: expires, Pending: g.Grant == "" && over == "", Over: over}
}

func (e *Enforcer) dryRun(ctx context.Context, d docket.Docket, live Live) DryRun {
	if live.Err != nil {
		return DryRun{Err: live.Err}
	}
	_, err := e.write(ctx, d, live, true)
	if errors.Is(err, errReset) {
		return DryRun{Carried: false}
	}
	if err != nil {
		return DryRun{Err: err}
	}
	return DryRun{Carried: true}
}
