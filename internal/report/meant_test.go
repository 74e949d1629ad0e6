package report_test

import (
	"html"
	"strings"
	"testing"
)

// A filter that can match nothing is no clean cluster.
func TestASlipInAFilterIsSaid(t *testing.T) {
	l := openLedger(t)
	put(t, l, "shop", "cart", "high", "x", noon())
	put(t, l, "billing", "web", "high", "x", noon())
	h := buildOn(t, l, &desk{})
	for query, want := range map[string]string{
		"rule=IMAGE_REPOO": `no rule is called "IMAGE_REPOO"; did you mean IMAGE_REPO?`,
		"kind=Deploymnet":  `no kind that is judged is called "Deploymnet"; did you mean Deployment?`,
		"kind=deploymen":   "did you mean Deployment?",
	} {
		page, api := send(h, "GET", "/cases?"+query, ""), send(h, "GET", "/api/v1/cases?"+query, "")
		if body := html.UnescapeString(page.Body.String()); page.Code != 200 || !strings.Contains(body, want) || strings.Contains(body, "looks like this too") {
			t.Errorf("/cases?%s: %d, want %q in\n%.900s", query, page.Code, want, body)
		}
		if body := strings.ReplaceAll(api.Body.String(), `\"`, `"`); api.Code != 400 || !strings.Contains(body, want) {
			t.Errorf("/api/v1/cases?%s: %d %s", query, api.Code, body)
		}
	}
	for query, want := range map[string]string{
		"namespace=shopp":              `No case of namespace "shopp" is on record`,
		"cluster=stage":                `No case of cluster "stage" is on record`,
		"owner=nobody@example.com":     `No case of owner "nobody@example.com" is on record`,
		"namespace=shop&status=exempt": "A clean cluster looks like this too",
		"kind=Ingress":                 "A clean cluster looks like this too",
		"kind=deployment":              "shop/cart",
		"q=nothing-has-this":           "A clean cluster looks like this too",
		"namespace=%1b<i>":             "is on record",
	} {
		page, api := send(h, "GET", "/cases?"+query, ""), send(h, "GET", "/api/v1/cases?"+query, "")
		body := html.UnescapeString(page.Body.String())
		if page.Code != 200 || api.Code != 200 || !strings.Contains(body, want) || strings.Contains(body, "\x1b") {
			t.Errorf("%s: page %d, API %d, want %q in\n%.900s", query, page.Code, api.Code, want, body)
		}
	}
}

// Of a namespace that a reader may not see, the page says what it says of one that is not there.
func TestASlipTellsNothingOfOthers(t *testing.T) {
	l := openLedger(t)
	put(t, l, "shop", "cart", "high", "x", noon())
	put(t, l, "billing", "web", "high", "x", noon())
	h := guarded(t, l, &desk{}, people{})
	ask := func(query string) string {
		return send(h, "GET", "/cases?"+query, "", "Authorization", "Bearer tenant").Body.String()
	}
	for _, pair := range [][2]string{{"namespace=billing", "namespace=nowhere"}, {"cluster=prod&namespace=billing", "cluster=prod&namespace=nowhere"}} {
		hidden, absent := ask(pair[0]), ask(pair[1])
		if hidden = strings.ReplaceAll(hidden, "billing", "nowhere"); hidden != absent {
			t.Errorf("%s and %s differ:\n%s\n%s", pair[0], pair[1], hidden, absent)
		}
		if !strings.Contains(absent, "is on record") {
			t.Errorf("%s: nothing is said", pair[1])
		}
	}
}
