package rule_test

import (
	"testing"

	"github.com/k8guard/k8guard/internal/rule"
)

func TestRemedyNamesWhatOwnersCannotLookUp(t *testing.T) {
	for _, row := range []struct {
		values []string
		want   string
	}{
		{nil, "Push it."},
		{[]string{"a"}, "Push it. Approved: a."},
		{[]string{"a", "b", "c", "d", "e"}, "Push it. Approved: a, b, c, d, e."},
		{[]string{"a", "b", "c", "d", "e", "f", "g"}, "Push it. Approved: a, b, c, d, e and 2 more."},
	} {
		if got := rule.Remedy("Push it.", row.values); got != row.want {
			t.Errorf("%q, want %q", got, row.want)
		}
	}
}
