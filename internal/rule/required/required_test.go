package required

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/rule/ruletest"
)

func TestManifests(t *testing.T) {
	rules, err := Rules(Params{
		Annotations: []string{"shop:*:*:team/contact"},
		Labels:      []string{"*:namespace:*:tier", "!system:deployment:!free:app", "*:daemonset:*:app", "*:pod:*:app"},
	})
	if err != nil {
		t.Fatal(err)
	}
	entities, err := Entities([]string{"*:namespace:*:monitoring", "shop:deployment:*:proxy", "shop:daemonset:*:agent", "shop:pod:*:*",
		"!kube-system:resourcequota:*:default"})
	if err != nil {
		t.Fatal(err)
	}
	ruletest.Run(t, append(rules, entities...), "testdata")
}

func TestTheGrammar(t *testing.T) {
	for written, want := range map[string]string{
		"team":                  "*:*:*:team",
		"shop:Deployment:web:x": "shop:deployment:web:x",
		"!shop:*:!web:a.io/b":   "!shop:*:!web:a.io/b",
		"*:!pod:*:x":            "*:!pod:*:x",
	} {
		if f, err := ParseFilter(written); err != nil || f.String() != want {
			t.Errorf("%q: %q, %v, want %q", written, f, err, want)
		}
	}
	for written, want := range map[string]string{
		"": "field 4 is empty", "a:b": "2 fields", "a:b:c:d:e": "5 fields", "a::c:d": "field 2 is empty", "!:*:*:d": "field 1 is empty",
		"a:secret:c:d": `no entity type "secret"`, "a: pod:c:d": "a space around", "*:*:*:": "field 4 is empty",
	} {
		if _, err := ParseFilter(written); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", written, err, want)
		}
	}
}

// What is negated selects just what the plain field does not.
func TestNegationIsTheRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching("[a-c]{1,2}").Draw(t, "name")
		field := rapid.OneOf(rapid.Just("*"), rapid.StringMatching("[a-c]{1,2}")).Draw(t, "field")
		plain, err := ParseFilter(field + ":*:*:x")
		if err != nil {
			t.Fatal(err)
		}
		not, err := ParseFilter("!" + field + ":*:*:x")
		if err != nil || plain.Selects(name, "Pod", "p") == not.Selects(name, "Pod", "p") {
			t.Fatalf("%v and %v agree on %q (%v)", plain, not, name, err)
		}
	})
}

func FuzzParseFilter(f *testing.F) {
	f.Add("a:pod:*:x")
	f.Fuzz(func(t *testing.T, written string) {
		one, err := ParseFilter(written)
		if err != nil {
			return
		}
		if again, err := ParseFilter(one.String()); err != nil || again != one {
			t.Fatalf("%q: %v, then %v, %v", written, one, again, err)
		}
	})
}

func TestWhatCannotBeRequired(t *testing.T) {
	for written, want := range map[string]string{
		"quota": "1 fields", "*:secret:*:x": `type "secret"`, "*:pod:web:x": "third field", "*:pod:*:": "field 4 is empty",
	} {
		if _, err := Entities([]string{written}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", written, err, want)
		}
	}
}
