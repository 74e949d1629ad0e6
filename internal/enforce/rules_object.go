package enforce

import (
	"slices"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// Rule 6. Re-verify at the edge: the same object, the same rule and parameters, and still
// violating in the root's own template.
func reVerify(f Facts) No {
	switch {
	case f.Live.Err != nil:
		return no("the object cannot be read: %v", f.Live.Err)
	case !f.Docket.Holds(f.Live.UID):
		return no("another object bears the name now (UID %s)", f.Live.UID)
	case f.Live.Deleting:
		return no("it is being deleted")
	}
	for _, c := range f.Cases {
		v := verdictOf(f.Live.Verdicts, c.Rule)
		meta, runs := f.Metas[c.Rule]
		switch {
		case c.From != v1.FromTemplate:
			return human("case %s: only a live pod shows it", c.ID)
		case !runs:
			return no("case %s: rule %s does not run any more", c.ID, c.Rule)
		case meta.Version() != c.RuleVersion || v.Version != c.RuleVersion:
			return no("case %s was judged by %s %s, now it is %q", c.ID, c.Rule, c.RuleVersion, v.Version)
		case v.State != v1.Violated && v.State != v1.Unknown: // unknown is rule 11's
			return no("case %s: the live object does not violate %s", c.ID, c.Rule)
		case !slices.ContainsFunc(v.Violations, func(x v1.Violation) bool { return x.Source == c.Source && x.From == v1.FromTemplate }):
			return no("case %s: the live object no longer violates %s", c.ID, c.Rule)
		}
	}
	return yes()
}

func verdictOf(verdicts []v1.Verdict, id string) v1.Verdict {
	for _, v := range verdicts {
		if v.Rule == id {
			return v
		}
	}
	return v1.Verdict{}
}

// Rule 7. Preconditions: UID and resourceVersion are known, the admission policies hold this
// account to what it may do, and the server took the same write in a dry run, with our value
// in its answer.
func preconditions(f Facts) No {
	switch {
	case f.Live.UID == "" || f.Live.ResourceVersion == "":
		return no("the object's UID or resourceVersion is not known")
	case f.Admission != nil:
		return no("what holds K8Guard's account is not in force: %v", f.Admission)
	case byOurPolicy(f.DryRun.Err):
		return human("a webhook or controller changes what K8Guard asks for, shown by a dry run: %v; %s", f.DryRun.Err, findWebhook)
	case f.DryRun.Err != nil:
		return no("the server refused a dry run: %v", f.DryRun.Err)
	case !f.DryRun.Carried:
		return human("a webhook or controller resets the value: the dry run's answer does not hold ours; %s", findWebhook)
	}
	return yes()
}

// Rule 11. Unknown is not guilty: fresh, from a complete audit, and judged by every rule
// that the act answers.
func unknownIsNotGuilty(f Facts) No {
	if !f.Fresh {
		return no("not sighted within two resyncs")
	}
	if f.Judged < 1 {
		return no("no complete inventory of the cluster yet")
	}
	for _, c := range f.Cases {
		v := verdictOf(f.Live.Verdicts, c.Rule)
		if c.Unknown != "" || v.State == v1.Unknown {
			return no("case %s cannot be judged: %s%s", c.ID, c.Unknown, v.Reason)
		}
	}
	return yes()
}
