package owner_test

import (
	"reflect"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/owner"
)

func TestTheChain(t *testing.T) {
	const key = "team/email-ids"
	c := config.Owners{EmailAnnotation: key, Fallback: []string{"Platform@example.com"}}
	for name, row := range map[string]struct {
		annotation string
		domains    []string
		want       v1.Owner
	}{
		"named by the platform": {"b@example.com, A@example.com", []string{"example.com"},
			v1.Owner{Emails: []string{"a@example.com", "b@example.com"}, Platform: true, From: "Namespace shop, annotation team/email-ids"}},
		"one address out of reach": {"a@example.com, x@evil.test", []string{"Example.com"},
			v1.Owner{Emails: []string{"a@example.com"}, Platform: true, From: "Namespace shop, annotation team/email-ids"}},
		"all out of reach": {"x@evil.test", []string{"example.com"},
			v1.Owner{Emails: []string{"platform@example.com"}, From: "the configured fallback (owners.fallback)"}},
		"a look-alike domain": {"x@notexample.com", []string{"example.com"},
			v1.Owner{Emails: []string{"platform@example.com"}, From: "the configured fallback (owners.fallback)"}},
		"nobody named": {"", nil,
			v1.Owner{Emails: []string{"platform@example.com"}, From: "the configured fallback (owners.fallback)"}},
		"no domains configured": {"a@anywhere.test", nil,
			v1.Owner{Emails: []string{"a@anywhere.test"}, Platform: true, From: "Namespace shop, annotation team/email-ids"}},
	} {
		named := owner.FromNamespace("shop", map[string]string{key: row.annotation}, key)
		if got := owner.Resolve(owner.Reachable(named, row.domains), c); !reflect.DeepEqual(got, row.want) {
			t.Errorf("%s: got %+v, want %+v", name, got, row.want)
		}
	}
}
