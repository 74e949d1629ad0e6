package enforce

import (
	"encoding/json"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"pgregory.net/rapid"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/rule"
)

func today() time.Time { return time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC) }

func shopOwner() v1.Owner {
	return v1.Owner{Emails: []string{"shop@example.com"}, From: "Namespace shop, annotation team/email-ids", Platform: true}
}

// validDeployment is a deployment that has had three confirmed warnings and may be scaled
// to zero now. Each call returns a copy of its own.
func validDeployment() Facts {
	return valid(v1.Root{Kind: "Deployment", Namespace: "shop", Name: "checkout", UID: "uid-1"}, docket.ScaleToZero,
		rule.Meta{ID: "IMAGE_REPO", Category: rule.Security, Revision: 2, Params: "approved=registry.example.com"}, "app",
		docket.Prior{ResourceVersion: "4711", Replicas: ptr.To[int32](3)}, 3)
}

// validIngress is an ingress that may be deleted now.
func validIngress() Facts {
	return valid(v1.Root{Kind: "Ingress", Namespace: "shop", Name: "web", UID: "uid-2"}, docket.DeleteIngress,
		rule.Meta{ID: "INGRESS_HOST_INVALID", Category: rule.Security, Revision: 1}, "shop.example.net",
		docket.Prior{ResourceVersion: "4711", Manifest: json.RawMessage(`{"kind":"Ingress"}`)}, 0)
}

func valid(root v1.Root, action string, meta rule.Meta, source string, prior docket.Prior, replicas int32) Facts {
	now, owner, ladder := today(), shopOwner(), config.DefaultLadder()
	enforce := config.Default().Enforce
	enforce.Mode = config.ModeEnforce
	c := docket.Case{ID: "c-1", Rule: meta.ID, Source: source, From: v1.FromTemplate, State: docket.Open,
		RuleVersion: meta.Version(), FirstSeen: now.Add(-80 * time.Hour), OpenedAt: now.Add(-79 * time.Hour)}
	var told []Told
	for n := range ladder.Warnings {
		key := "notice/email/shop@example.com/" + string(rune('1'+n))
		c.Notices = append(c.Notices, docket.NoticeRef{Key: key, Purpose: docket.Warning, N: n + 1, Owner: owner.Key(),
			Result: docket.Sent, At: now.Add(time.Duration(n-3) * 25 * time.Hour)})
		told = append(told, Told{Key: key, Confirmed: true, Owner: owner.Key(), Platform: true,
			Cases: []string{c.ID}, Numbers: map[string]int{c.ID: n + 1}})
	}
	told[len(told)-1].ActAt = map[string]time.Time{c.ID: now.Add(-time.Hour)}
	act := docket.Enforcement{ID: "e-1", Action: action, State: docket.Intent, Target: root, Cases: []string{c.ID},
		Who: "policy shops", Rules: []string{c.Rule}, Versions: []string{c.RuleVersion}, Evidence: []string{source + ": x"},
		Warnings: []string{told[0].Key}, Grant: "round-1", Holder: "p-1", Prior: prior, IntentAt: now}
	return Facts{
		Now: now, Config: enforce, Cluster: config.Cluster{Name: "east", Namespace: "k8guard"},
		Policy: config.Policy{Name: "shops", Match: config.Match{Namespaces: []string{"shop"}}, Ladder: ladder, Enforce: true},
		Metas:  map[string]rule.Meta{meta.ID: meta},
		Docket: docket.Docket{Key: docket.Key{Cluster: "k-1", Root: root.UID}, Version: 9, Root: root, Owner: owner,
			Cases: []docket.Case{copied(c)}, Enforcement: &act},
		Cases: []docket.Case{c}, Action: action, Fresh: true, Judged: 400,
		Live: Live{UID: root.UID, ResourceVersion: "4711", Replicas: replicas,
			Labels: map[string]string{"app": "checkout"}, Annotations: map[string]string{"example.com/contact": "us"},
			Verdicts: []v1.Verdict{{Rule: meta.ID, Version: meta.Version(), State: v1.Violated,
				Violations: []v1.Violation{{Type: meta.ID, Source: source, From: v1.FromTemplate}}}}},
		Owner: Owned{Owner: owner}, Notices: told,
		Permit: Switch{On: true, Text: PermitValue}, Grant: Grant{ID: "round-1", Expires: now.Add(time.Minute)},
		DryRun: DryRun{Carried: true}, Enforcement: act,
	}
}

func copied(c docket.Case) docket.Case {
	c.Notices = slices.Clone(c.Notices)
	return c
}

// eachCase changes every case of the act, however many are left.
func eachCase(change func(*docket.Case)) func(*Facts) {
	return func(f *Facts) {
		for i := range f.Cases {
			change(&f.Cases[i])
		}
	}
}

func eachVerdict(change func(*v1.Verdict)) func(*Facts) {
	return func(f *Facts) {
		for i := range f.Live.Verdicts {
			change(&f.Live.Verdicts[i])
		}
	}
}

// lastNotice changes the newest notice that is left.
func lastNotice(change func(*Told)) func(*Facts) {
	return func(f *Facts) {
		if n := len(f.Notices); n > 0 {
			change(&f.Notices[n-1])
		}
	}
}

func ownedBy(apiVersion, kind string, controller *bool) func(*Facts) {
	return func(f *Facts) {
		f.Live.Owners = append(f.Live.Owners, metav1.OwnerReference{APIVersion: apiVersion, Kind: kind, Name: "above", UID: "uid-9", Controller: controller})
	}
}

// degrees are changes for the worse by an amount, none of which can make good another.
func degrees() []func(*rapid.T, *Facts) {
	later := func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, int64(30*time.Hour)).Draw(t, "later"))
	}
	return []func(*rapid.T, *Facts){
		func(t *rapid.T, f *Facts) {
			d := later(t)
			eachCase(func(c *docket.Case) { c.FirstSeen = c.FirstSeen.Add(d) })(f)
		},
		func(t *rapid.T, f *Facts) {
			d := later(t)
			eachCase(func(c *docket.Case) { c.FirstSeen, c.OpenedAt = c.FirstSeen.Add(d), c.OpenedAt.Add(d) })(f)
		},
		func(t *rapid.T, f *Facts) {
			d := later(t) / 10
			eachCase(func(c *docket.Case) {
				for i := range c.Notices {
					c.Notices[i].At = c.Notices[i].At.Add(d)
				}
			})(f)
		},
		func(t *rapid.T, f *Facts) { f.Grant.Expires = f.Grant.Expires.Add(-later(t) / 1000) },
		func(t *rapid.T, f *Facts) {
			if until := today().Add(later(t) - 20*time.Hour); until.After(f.Docket.CoolOffUntil) {
				f.Docket.CoolOffUntil = until // a cool-off that gets shorter would be no change for the worse
			}
		},
		func(t *rapid.T, f *Facts) { f.Judged -= rapid.IntRange(0, 200).Draw(t, "fewer") },
		func(t *rapid.T, f *Facts) { f.Policy.Ladder.Warnings += rapid.IntRange(0, 1).Draw(t, "more") },
		func(t *rapid.T, f *Facts) { f.Config.MinimumAge += later(t) },
		func(t *rapid.T, f *Facts) {
			if n := len(f.Notices); n > 0 {
				i := rapid.IntRange(0, n-1).Draw(t, "lost")
				f.Notices = slices.Delete(f.Notices, i, i+1)
			}
		},
		func(t *rapid.T, f *Facts) {
			ownedBy(rapid.SampledFrom([]string{"v1", "apps/v1", "example.com/v1"}).Draw(t, "group"), "Thing", nil)(f)
		},
	}
}
