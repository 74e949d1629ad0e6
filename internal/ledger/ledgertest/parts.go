package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// ours is the part that these tests ask for: one namespace with its Namespace object, and
// what concerns no namespace.
func ours() ledger.Part {
	return ledger.Part{Cluster: key("").Cluster, Namespaces: []string{"shop", ""}}
}

// settle stores a root of each kind of home, and returns it.
func settle(t *testing.T, l ledger.Ledger, k docket.Key, kind, namespace, name string, entries int) docket.Docket {
	t.Helper()
	d := sample(k.Root, find("IMAGE_REPO", "high", docket.Open), find("PRIVILEGED", "low", docket.Acted), find("OLD", "low", docket.Resolved))
	d.Key, d.Root.Kind, d.Root.Namespace, d.Root.Name = k, kind, namespace, name
	for i := range d.Cases {
		c := &d.Cases[i]
		c.ID, c.Plan.At, c.Evidence = docket.CaseID(k, c.Rule, c.Source, c.From), start().Add(time.Duration(i)*time.Hour), "kestrel"
	}
	d.Enforcement = &docket.Enforcement{ID: "e", State: docket.Done, DoneAt: start()}
	told := make([]docket.Entry, entries)
	for i := range told {
		told[i] = docket.Entry{At: start().Add(time.Duration(i) * time.Minute), Kind: docket.EntryNotice, Case: d.Cases[0].ID, Text: fmt.Sprint("kestrel ", i)}
	}
	store(t, l, d, told...)
	return d
}

// mine stores what is in the part.
func mine(t *testing.T, l ledger.Ledger) (all []docket.Docket) {
	t.Helper()
	return append(all, settle(t, l, key("one"), "Deployment", "shop", "one", 3),
		settle(t, l, key("two"), "Namespace", "", "shop", 3), settle(t, l, key("three"), "ClusterRole", "", "three", 3))
}

// strangers stores what is not, and looks much like it: more than a back end looks at for one page.
func strangers(t *testing.T, l ledger.Ledger) {
	t.Helper()
	settle(t, l, key("four"), "Deployment", "pay", "one", 2100)
	settle(t, l, key("five"), "Namespace", "", "pay", 3)
	settle(t, l, key("six"), "Deployment", "shop-1", "shop", 3)
	settle(t, l, docket.Key{Cluster: "other-uid", Root: "seven"}, "Deployment", "shop", "one", 3)
	d := settle(t, l, key("eight"), "Deployment", "", "shop", 0) // of no namespace, and no Namespace
	d.Version, d.Root.Namespace = 1, "ads"
	store(t, l, d)
}

// ask puts every question about the part, each by pages of one.
func ask(t *testing.T, l ledger.Ledger, part ledger.Part) (answers []any) {
	t.Helper()
	said := func(what string, answer any, err error) {
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		answers = append(answers, []any{what, answer})
	}
	for _, limit := range []int{1, 100} {
		for _, q := range []ledger.CaseQuery{{}, {Text: "kestrel"}, {Text: "kes*"}, {Namespace: "pay"}, {Namespace: "shop"}, {Rule: "PRIVILEGED"}, {Owner: "a@example.com"}, {Statuses: []string{"resolved"}}} {
			q.Part, q.Limit = part, limit
			for more := true; more; more = q.Cursor != "" {
				page, err := l.Cases(t.Context(), q)
				said(fmt.Sprintf("cases %+v", q), page, err)
				q.Cursor = page.Next
			}
		}
		for _, q := range []ledger.LineQuery{{}, {Text: "kestrel"}, {Text: "kes*", Rule: "IMAGE_REPO"}, {Namespace: "pay"}, {Namespace: "shop"}, {Rule: "IMAGE_REPO", Kind: docket.EntryNotice},
			{Owner: "a@example.com"}, {Since: start().Add(time.Minute), Until: start().Add(2 * time.Minute)}, {Text: "kestrel", Since: start().Add(time.Minute)}} {
			q.Part, q.Limit = part, limit
			for more := true; more; more = q.Cursor != "" {
				page, err := l.Lines(t.Context(), q)
				said(fmt.Sprintf("lines %+v", q), page, err)
				q.Cursor = page.Next
			}
		}
		due := ledger.DueQuery{Part: part, Limit: limit, Until: start().Add(48 * time.Hour)}
		for more := true; more; more = due.Cursor != "" {
			page, err := l.Due(t.Context(), due)
			said("due", page, err)
			due.Cursor = page.Next
		}
		owners := ledger.OwnerQuery{Part: part, Limit: limit}
		for more := true; more; more = owners.Cursor != "" {
			page, err := l.Owners(t.Context(), owners)
			said("owners", page, err)
			owners.Cursor = page.Next
		}
		acts := ledger.ActQuery{Part: part, Limit: limit, What: ledger.InForce}
		for more := true; more; more = acts.Cursor != "" {
			page, err := l.Acts(t.Context(), acts)
			said("acts", page, err)
			acts.Cursor = page.Next
		}
	}
	counts, err := l.Overview(t.Context(), part)
	said("overview", counts, err)
	return answers
}

// partsAlone is the promise of a part: who may see only that learns nothing of the rest.
func partsAlone(t *testing.T, l ledger.Ledger) {
	mine(t, l)
	before := ask(t, l, ours())
	strangers(t, l)
	after := ask(t, l, ours())
	if len(after) != len(before) {
		t.Fatalf("%d answers, and %d before strangers came", len(after), len(before))
	}
	for i := range after {
		same(t, "an answer after strangers came", after[i], before[i])
	}
}

func parts(t *testing.T, l ledger.Ledger) {
	all := mine(t, l)
	strangers(t, l)
	count := func(part ledger.Part) (cases, lines int) {
		t.Helper()
		page, err := l.Cases(t.Context(), ledger.CaseQuery{Part: part, Limit: 500})
		history, err2 := l.Lines(t.Context(), ledger.LineQuery{Part: part, Limit: 1000})
		if err != nil || err2 != nil || page.Total != len(page.Rows) {
			t.Fatal(err, err2, page.Total, len(page.Rows))
		}
		for _, r := range page.Rows {
			if !part.Holds(r.Docket, r.Root) {
				t.Errorf("%+v holds %+v", part, r.Root)
			}
		}
		return len(page.Rows), len(history.Lines)
	}
	other := ledger.Part{Cluster: "other-uid"}
	for _, tc := range []struct {
		part         ledger.Part
		cases, lines int
	}{{ours(), 2 * len(all), 9}, {ledger.Part{}, 16, 1000}, {other, 2, 3}, {ledger.Part{Namespaces: []string{"shop"}}, 6, 9}, {ledger.Part{Namespaces: []string{}}, 0, 0},
		{ledger.Part{Cluster: key("").Cluster, Namespaces: []string{"pay", "nowhere", "it's"}}, 4, 1000}} {
		if cases, lines := count(tc.part); cases != tc.cases || lines != tc.lines {
			t.Errorf("%+v: %d cases and %d lines, want %d and %d", tc.part, cases, lines, tc.cases, tc.lines)
		}
	}
	spaces, err := l.Spaces(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	k := key("").Cluster
	same(t, "spaces", spaces, []ledger.Space{{Cluster: k}, {Cluster: k, Namespace: "ads"}, {Cluster: k, Namespace: "pay"}, {Cluster: k, Namespace: "shop"},
		{Cluster: k, Namespace: "shop-1"}, {Cluster: "other-uid", Namespace: "shop"}})
}
