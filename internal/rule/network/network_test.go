package network

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/ruletest"
)

func TestManifests(t *testing.T) {
	r, err := IngressHost(IngressHostParams{ApprovedSuffixes: []string{"*.apps.demo.example"},
		MustNotContain: []string{"Staging"}})
	if err != nil {
		t.Fatal(err)
	}
	ruletest.Run(t, []rule.Rule{r}, "testdata")
}

func TestSuffixHoldsOnLabelBordersOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching("[a-z0-9]{1,8}").Draw(t, "prefix")
		suffix := rapid.StringMatching(`[a-z]{1,8}\.[a-z]{2,4}`).Draw(t, "suffix")
		if under(prefix+suffix, []string{suffix}) || !under(strings.ToUpper(prefix+"."+suffix), []string{suffix}) {
			t.Fatalf("%s, %s", prefix, suffix)
		}
	})
}

func TestEveryTextCounts(t *testing.T) {
	a := approved{must: lower([]string{"Shop", "eu"}), mustNot: []string{"test"}}
	for host, want := range map[string]string{
		"eu.SHOP.example": "", "shop.example": `does not contain "eu"`, "eu.example": `does not contain "shop"`,
		"test.eu.shop.example": `contains "test"`, "~^(.+)$": "pattern", "": "takes every host",
	} {
		if got := a.judge(host); !strings.Contains(got, want) || (got == "") != (want == "") {
			t.Errorf("%q: %q, want %q", host, got, want)
		}
	}
}

func FuzzJudgeHost(f *testing.F) {
	f.Add("a.example")
	f.Add("*.example")
	f.Fuzz(func(t *testing.T, host string) {
		if (approved{suffixes: []string{"example"}}).judge(host) == "" && (host == "" || strings.Contains(host, "*")) {
			t.Fatalf("%q passes", host)
		}
	})
}
