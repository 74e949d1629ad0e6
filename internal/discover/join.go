package discover

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// join adds to a template's verdicts what live pods show beyond it. A violation of the same
// type and source is one, and the template's word stands.
func join(template, pods []v1.Verdict) []v1.Verdict {
	joined := make([]v1.Verdict, 0, len(template))
	at := map[string]int{} // by rule
	for _, v := range template {
		at[v.Rule] = len(joined)
		v.Violations = slices.Clone(v.Violations)
		joined = append(joined, v)
	}
	slices.SortStableFunc(pods, func(a, b v1.Verdict) int { return cmp.Compare(a.Reason, b.Reason) })
	for _, p := range pods {
		i, known := at[p.Rule]
		if !known {
			at[p.Rule] = len(joined)
			p.Violations = slices.Clone(p.Violations)
			joined = append(joined, p)
			continue
		}
		v := &joined[i]
		v.Violations = append(v.Violations, p.Violations...)
		switch {
		case len(v.Violations) > 0:
			v.State = v1.Violated
		case p.State == v1.Unknown:
			v.State = v1.Unknown
		}
		v.Reason = cmp.Or(v.Reason, p.Reason)
	}
	return joined
}

// tidy sorts verdicts and violations, keeps one violation of each type and source, and adds
// a remark to what did not pass.
func tidy(verdicts []v1.Verdict, remark string) []v1.Verdict {
	tidied := make([]v1.Verdict, 0, len(verdicts))
	for _, v := range verdicts {
		v.Violations = once(v.Violations)
		if remark != "" && v.State != v1.Pass {
			if v.Reason != "" {
				v.Reason += "; "
			}
			v.Reason += remark
		}
		tidied = append(tidied, v)
	}
	slices.SortFunc(tidied, func(a, b v1.Verdict) int { return cmp.Compare(a.Rule, b.Rule) })
	return tidied
}

func once(all []v1.Violation) []v1.Violation {
	sorted := slices.Clone(all)
	slices.SortFunc(sorted, func(a, b v1.Violation) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Source, b.Source),
			-cmp.Compare(a.From, b.From), // the template before a pod
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Evidence, b.Evidence), cmp.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(sorted, func(a, b v1.Violation) bool {
		return a.Type == b.Type && a.Source == b.Source
	})
}

// hash covers what decides, and nothing that differs between two looks at the same state.
// The generation is in it so that a spec that changed and changed back is told: else an act
// that was undone by hand at once would look as if nothing had happened.
func hash(o v1.Observation, generation int64) string {
	text, err := json.Marshal(struct {
		State      v1.RootState
		Dormant    string
		NoPods     bool
		Lost       []string
		Owner      v1.Owner
		Owners     map[string]v1.Owner
		Verdicts   []v1.Verdict
		Generation int64
	}{o.State, o.Dormant, o.NoPods, o.Lost, o.Owner, o.Owners, o.Verdicts, generation})
	if err != nil { // strings and slices of strings: JSON takes them all
		text = []byte(err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16]) // 128 bits: nobody finds two states with one hash
}
