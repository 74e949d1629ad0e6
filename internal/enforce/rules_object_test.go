package enforce

import (
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/rule"
)

func rows06() []row {
	gone := []string{"no longer violates IMAGE_REPO"}
	return []row{
		{name: "unread", change: func(f *Facts) { f.Live.Err = errTest() }, says: []string{"object cannot be read", "connection refused"}},
		{name: "another object of the name", change: func(f *Facts) { f.Live.UID = "uid-7" }, says: []string{"another object bears the name", "uid-7"}},
		{name: "being deleted", ingress: true, change: func(f *Facts) { f.Live.Deleting = true }, says: []string{"being deleted"}},
		{name: "only a pod shows it", change: eachCase(func(c *docket.Case) { c.From = v1.FromPod }), says: []string{"only a live pod shows it"}, human: true},
		{name: "the rule runs no more", change: func(f *Facts) {
			f.Metas = map[string]rule.Meta{"PRIVILEGED": {ID: "PRIVILEGED", Category: rule.Security}}
			f.Policy.Match.Rules = []string{"IMAGE_REPO"}
		}, says: []string{"IMAGE_REPO does not run any more"}},
		{name: "a new revision", change: func(f *Facts) {
			f.Metas["IMAGE_REPO"] = rule.Meta{ID: "IMAGE_REPO", Category: rule.Security, Revision: 9}
		}, says: []string{"was judged by IMAGE_REPO 2-"}},
		{name: "other parameters", change: func(f *Facts) {
			m := f.Metas["IMAGE_REPO"]
			m.Params, m.Category = "approved=other", rule.Security
			f.Metas["IMAGE_REPO"] = m
		}, says: []string{"was judged by"}},
		{name: "the live verdict is of another version", change: eachVerdict(func(v *v1.Verdict) { v.Version = "8" }), says: []string{`now it is "8"`}},
		{name: "no live verdict", change: func(f *Facts) { f.Live.Verdicts = nil }, says: []string{`now it is ""`}},
		{name: "a verdict of another rule", change: eachVerdict(func(v *v1.Verdict) { v.Rule = "PRIVILEGED" }), says: []string{`now it is ""`}},
		{name: "clean", change: eachVerdict(func(v *v1.Verdict) { v.State, v.Violations = v1.Pass, nil }), says: []string{"does not violate IMAGE_REPO"}},
		{name: "a pass with leftovers", change: eachVerdict(func(v *v1.Verdict) { v.State = v1.Pass }), says: []string{"does not violate"}},
		{name: "a verdict without state", change: eachVerdict(func(v *v1.Verdict) { v.State = "" }), says: []string{"does not violate"}},
		{name: "another source", change: eachVerdict(func(v *v1.Verdict) { v.Violations = []v1.Violation{{Source: "sidecar", From: v1.FromTemplate}} }), says: gone},
		{name: "from a pod", change: eachVerdict(func(v *v1.Verdict) { v.Violations = []v1.Violation{{Source: "app", From: v1.FromPod}} }), says: gone},
		{name: "restored under an alias", change: func(f *Facts) { f.Docket.Aliases, f.Live.UID = []string{"uid-5"}, "uid-5" }},
	}
}

func TestGate06ReVerify(t *testing.T) { prove(t, 6, "re-verify", rows06()) }

func rows07() []row {
	return []row{
		{name: "no UID", change: func(f *Facts) { f.Live.UID = "" }, says: []string{"UID or resourceVersion is not known"}, also: []int{6}},
		{name: "no resourceVersion", change: func(f *Facts) { f.Live.ResourceVersion = "" }, says: []string{"is not known"}, also: []int{14}},
		{name: "nothing holds the account", change: func(f *Facts) { f.Admission = errTest() },
			says: []string{"account is not in force", "connection refused"}},
		{name: "dry run refused", change: func(f *Facts) { f.DryRun = DryRun{Err: errTest()} }, says: []string{"refused a dry run", "connection refused"}},
		{name: "dry run refused late", ingress: true, change: func(f *Facts) { f.DryRun.Err = errTest() }, says: []string{"refused a dry run"}},
		{name: "something resets it", change: func(f *Facts) { f.DryRun.Carried = false }, human: true,
			says: []string{"a webhook or controller resets the value", "mutatingwebhookconfigurations"}},
		{name: "our policy refuses what became of it", change: func(f *Facts) { f.DryRun = DryRun{Err: byPolicy("k8guard-action-scale")} }, human: true,
			says: []string{"a webhook or controller changes", "k8guard-action-scale", "mutatingwebhookconfigurations"}},
		{name: "somebody's policy refuses it", change: func(f *Facts) { f.DryRun = DryRun{Err: byPolicy("theirs")} }, says: []string{"refused a dry run", "theirs"}},
	}
}

func TestGate07Preconditions(t *testing.T) { prove(t, 7, "preconditions", rows07()) }

func rows11() []row {
	return []row{
		{name: "not sighted", change: func(f *Facts) { f.Fresh = false }, says: []string{"not sighted within two resyncs"}},
		{name: "no inventory", ingress: true, change: func(f *Facts) { f.Judged = 0 }, says: []string{"no complete inventory"}},
		{name: "a count that cannot be", change: func(f *Facts) { f.Judged = -1 }, says: []string{"no complete inventory"}},
		{name: "unknown when observed", change: eachCase(func(c *docket.Case) { c.Unknown = "pods: 403" }), says: []string{"case c-1 cannot be judged", "pods: 403"}},
		{name: "unknown now", change: eachVerdict(func(v *v1.Verdict) { v.State, v.Reason = v1.Unknown, "oversize" }), says: []string{"cannot be judged", "oversize"}},
		{name: "unknown now, nothing found", change: eachVerdict(func(v *v1.Verdict) { v.State, v.Violations, v.Reason = v1.Unknown, nil, "oversize" }),
			says: []string{"oversize"}, also: []int{6}},
		{name: "another rule is unknown", change: func(f *Facts) {
			f.Live.Verdicts = append(f.Live.Verdicts, v1.Verdict{Rule: "PRIVILEGED", State: v1.Unknown})
		}},
	}
}

func TestGate11UnknownIsNotGuilty(t *testing.T) { prove(t, 11, "unknown-is-not-guilty", rows11()) }
