package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/report"
)

// people is an API server with readers of one namespace, of all, and writers of both kinds.
type people struct{ down bool }

func (people) Who(_ context.Context, token string) (login.Reader, error) {
	if !slices.Contains([]string{"tenant", "auditor", "writer", "operator", "fifth"}, token) {
		return login.Reader{}, login.ErrToken
	}
	return login.Reader{Name: token}, nil
}

func (p people) May(_ context.Context, who login.Reader, right login.Right, namespace string) (bool, error) {
	if p.down {
		return false, login.Told("K8Guard's account may not create subjectaccessreviews; apply deploy/rbac-report.yaml")
	}
	switch who.Name {
	case "tenant":
		return right == login.See && namespace == "shop", nil
	case "auditor":
		return right == login.See, nil
	case "writer":
		return (right == login.See || right == login.Change) && namespace == "shop", nil
	}
	return true, nil
}

func (p people) MayNow(ctx context.Context, who login.Reader, right login.Right, namespace string) (bool, error) {
	return p.May(ctx, who, right, namespace)
}

func guarded(t *testing.T, s ledger.Projections, d report.Control, p people) http.Handler {
	t.Helper()
	guard, err := login.New(login.Settings{Reviewer: p, Book: login.NewBook(noon), Open: []string{"/style.css"}})
	if err != nil {
		t.Fatal(err)
	}
	settings := report.Settings{Ledger: s, Control: d, Now: noon, Version: "test", Guard: guard, Cluster: "k", Needed: func(ledger.CaseRow) int { return 3 },
		Machines: map[string]http.Handler{"GET /metrics": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, marker) })}}
	if d, ok := d.(*desk); ok {
		settings.Ack = d.ack
	}
	h, err := report.New(settings)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const marker = "hidden-marker"

// lists are all addresses that list something.
func lists() []string {
	return []string{"/", "/cases", "/cases?status=standing", "/cases?q=" + "words", "/cases.csv", "/history", "/history.csv", "/next", "/owners", "/enforcement",
		"/enforcement?what=refused", "/enforcement?what=undone", "/budget", "/api/v1/overview", "/api/v1/status", "/api/v1/cases", "/api/v1/history",
		"/api/v1/next", "/api/v1/owners", "/api/v1/acts", "/api/v1/acts?what=refused", "/api/v1/budget", "/api/v1/openapi.json"}
}

// marked is a ledger in which whatever concerns another namespace than shop bears the marker.
func marked(n int) shelf {
	s := sample(n)
	for i := range s.dockets {
		d := &s.dockets[i]
		if d.Root.Namespace == "shop" {
			continue
		}
		d.Root.Name, d.Root.Namespace, d.Owner.Emails, d.Owner.From, d.Dormant = marker, marker, []string{marker + "@example.com"}, marker, marker
		c := &d.Cases[0]
		c.ID = fmt.Sprint(marker, i)
		c.Message, c.Source, c.Evidence, c.Path, c.Plan.Text, c.Unknown, c.Rule = marker, marker, marker, marker, marker, marker, marker
		if d.Enforcement != nil {
			d.Enforcement.Cases, d.Enforcement.Evidence, d.Enforcement.Who = []string{c.ID}, []string{marker}, marker
		}
		if d.Refusal != nil {
			d.Refusal.Text = marker
		}
	}
	return s
}

// gossip is a desk whose every word tells of others.
type gossip struct{ desk }

func (g *gossip) Status(ctx context.Context) (report.Status, error) {
	st, err := g.desk.Status(ctx)
	st.Freezes[0].By, st.Freezes[0].Reason, st.Breaker.Reason = marker, marker, marker
	for i := range st.Switches {
		st.Switches[i].Reason = marker
	}
	st.Budget.LastRound = marker
	st.Budget.Spent = append(st.Budget.Spent, report.Spent{By: "namespace", Name: marker, Used: 9}, report.Spent{By: "owner", Name: marker}, report.Spent{By: "rule", Name: marker})
	return st, err
}

// TestNothingOfOthersLeaks walks every list to its end, and asks for each hidden case.
func TestNothingOfOthersLeaks(t *testing.T) {
	s := marked(90)
	h := guarded(t, s, &gossip{}, people{})
	as := func(path string) (int, string) {
		w := send(h, "GET", path, "", "Authorization", "Bearer tenant")
		return w.Code, w.Body.String()
	}
	for _, path := range lists() {
		if code, text := as(path); code != 200 || strings.Contains(text, marker) {
			t.Errorf("%s: %d tells of others", path, code)
		}
	}
	if code, text := as("/metrics"); code != 403 || strings.Contains(text, marker) {
		t.Errorf("/metrics: %d", code)
	}
	for i, d := range s.dockets {
		want := 200
		if d.Root.Namespace != "shop" {
			want = 404
		}
		for _, path := range []string{"/cases/", "/api/v1/cases/"} {
			if code, text := as(path + d.Cases[0].ID); code != want || want == 404 && strings.Contains(strings.ReplaceAll(text, d.Cases[0].ID, ""), marker) {
				t.Fatalf("%s of docket %d: %d, want %d", path, i, code, want)
			}
		}
	}
}

// TestPagingGoesOnWhereRowsAreHidden wants each visible case once, whatever the page's size.
func TestPagingGoesOnWhereRowsAreHidden(t *testing.T) {
	for _, limit := range []int{1, 2, 7, 30, 500} {
		h := guarded(t, marked(200), &desk{}, people{})
		ids, cursor := map[string]bool{}, ""
		for range 300 {
			var page ledger.CasePage
			w := send(h, "GET", fmt.Sprintf("/api/v1/cases?limit=%d&cursor=%s", limit, cursor), "", "Authorization", "Bearer tenant")
			if err := json.Unmarshal(w.Body.Bytes(), &page); err != nil || w.Code != 200 {
				t.Fatal(w.Code, err)
			}
			if page.Total != 67 || len(page.Rows) > limit || len(page.Rows) < limit && page.Next != "" {
				t.Fatalf("total %d, %d rows, next %q", page.Total, len(page.Rows), page.Next)
			}
			for _, r := range page.Rows {
				if ids[r.ID] {
					t.Fatalf("%s twice", r.ID)
				}
				ids[r.ID] = true
			}
			if cursor = page.Next; cursor == "" {
				break
			}
		}
		if len(ids) != 67 {
			t.Errorf("limit %d: %d cases, want 67", limit, len(ids))
		}
	}
}

// TestCountsAreOfWhatIsSeen compares a reader's own counts with those of a ledger that holds
// nothing else.
func TestCountsAreOfWhatIsSeen(t *testing.T) {
	s := marked(90)
	alone := shelf{slices.DeleteFunc(slices.Clone(s.dockets), func(d docket.Docket) bool { return d.Root.Namespace != "shop" })}
	var got, want ledger.Overview
	read := func(h http.Handler, to *ledger.Overview) {
		if err := json.Unmarshal(send(h, "GET", "/api/v1/overview", "", "Authorization", "Bearer tenant").Body.Bytes(), to); err != nil {
			t.Fatal(err)
		}
	}
	read(guarded(t, s, &desk{}, people{}), &got)
	read(build(t, alone, &desk{}), &want)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestWhoMayDoWhat is every route by every kind of reader.
func TestWhoMayDoWhat(t *testing.T) {
	const js = "application/json"
	type row struct {
		method, path string
		codes        [6]int // nobody, wrong token, tenant, auditor, writer, operator
	}
	var table []row
	for _, path := range append(lists(), "/cases/c0000", "/api/v1/cases/c0000") {
		table = append(table, row{"GET", path, [6]int{401, 401, 200, 200, 200, 200}})
	}
	table = append(table, row{"GET", "/style.css", [6]int{200, 200, 200, 200, 200, 200}}, row{"GET", "/metrics", [6]int{401, 401, 403, 200, 403, 200}},
		row{"GET", "/nowhere", [6]int{401, 401, 404, 404, 404, 404}},
		row{"GET", "/api/v1/cases/c0001", [6]int{401, 401, 404, 200, 404, 200}}, row{"GET", "/cases/c0001", [6]int{401, 401, 404, 200, 404, 200}})
	for path, codes := range map[string][6]int{"cases/c0000/undo": {401, 401, 403, 403, 200, 200}, "cases/c0001/undo": {401, 401, 404, 403, 404, 200},
		"cases/c0000/ack": {401, 401, 403, 403, 200, 200}, "cases/c0001/ack": {401, 401, 404, 403, 404, 200},
		"freeze": {401, 401, 403, 403, 403, 200}, "unfreeze": {401, 401, 403, 403, 403, 200}} {
		table = append(table, row{"POST", "/api/v1/" + path, codes}, row{"POST", "/" + path, codes})
	}
	for _, r := range table {
		for i, token := range []string{"", "wrong", "tenant", "auditor", "writer", "operator"} {
			d := &desk{}
			body, kind, want := `{"reason":"why","scope":"global"}`, js, r.codes[i]
			if r.method == "POST" && !strings.HasPrefix(r.path, "/api/") {
				body, kind = "reason=why&scope=global", "application/x-www-form-urlencoded"
				if want == 200 {
					want = 303
				}
			}
			if r.method == "POST" && !strings.Contains(r.path, "freeze") {
				body = strings.NewReplacer(`,"scope":"global"`, "", "&scope=global", "").Replace(body)
			}
			headers := []string{"Content-Type", kind}
			if token != "" {
				headers = append(headers, "Authorization", "Bearer "+token)
			}
			w := send(guarded(t, sample(3), d, people{}), r.method, r.path, body, headers...)
			if w.Code != want {
				t.Errorf("%s %s by %q: %d, want %d: %.200s", r.method, r.path, token, w.Code, want, w.Body)
			}
			done := strings.Join(d.asked, ";")
			if (done != "") != (r.method == "POST" && r.codes[i] == 200) || done != "" && !strings.Contains(done, " "+token+" why") {
				t.Errorf("%s %s by %q: asked %q", r.method, r.path, token, done)
			}
		}
	}
}

func TestNobodyWritesAnotherName(t *testing.T) {
	d := &desk{}
	h := guarded(t, sample(3), d, people{})
	for by, code := range map[string]int{"ana": 400, "operator": 200, "": 200} {
		d.asked = nil
		w := send(h, "POST", "/api/v1/freeze", fmt.Sprintf(`{"scope":"global","by":%q,"reason":"why"}`, by), "Content-Type", "application/json", "Authorization", "Bearer operator")
		if w.Code != code || code == 200 && d.asked[0] != "freeze global operator why" || code != 200 && d.asked != nil {
			t.Errorf("by %q: %d %v", by, w.Code, d.asked)
		}
	}
}

func TestAMissingRightOfOursIsSaid(t *testing.T) {
	h := guarded(t, sample(3), &desk{}, people{down: true})
	for _, path := range []string{"/cases", "/api/v1/cases", "/cases.csv", "/history.csv", "/owners", "/api/v1/overview", "/cases/c0000", "/metrics"} {
		if w := send(h, "GET", path, "", "Authorization", "Bearer tenant"); w.Code != 503 || !strings.Contains(w.Body.String(), "rbac-report.yaml") {
			t.Errorf("%s: %d %.300s", path, w.Code, w.Body)
		}
	}
}

// asking notes the rights that are asked for.
type asking struct {
	people
	rights *[]login.Right
}

func (p asking) MayNow(ctx context.Context, who login.Reader, right login.Right, namespace string) (bool, error) {
	*p.rights = append(*p.rights, right)
	return p.May(ctx, who, right, namespace)
}

// TestAnUndoWantsTheRightToDoItByHand, and asks for it anew.
func TestAnUndoWantsTheRightToDoItByHand(t *testing.T) {
	for kind, want := range map[string]login.Right{"Deployment": "patch deployments.apps", "CronJob": "patch cronjobs.batch", "Ingress": "create ingresses.networking.k8s.io", "Pod": "patch deployments.apps"} {
		s, rights, d := sample(1), []login.Right{}, &desk{}
		s.dockets[0].Root.Kind = kind
		guard, err := login.New(login.Settings{Reviewer: asking{rights: &rights}, Book: login.NewBook(noon)})
		if err != nil {
			t.Fatal(err)
		}
		h, err := report.New(report.Settings{Ledger: s, Control: d, Now: noon, Guard: guard, Cluster: "k"})
		if err != nil {
			t.Fatal(err)
		}
		// The writer may patch deployments of shop, and nothing else.
		w := send(h, "POST", "/api/v1/cases/c0000/undo", `{"reason":"why"}`, "Content-Type", "application/json", "Authorization", "Bearer writer")
		if len(rights) == 0 || rights[0] != want || (w.Code == 200) != (want == login.Change) || (len(d.asked) > 0) != (w.Code == 200) {
			t.Errorf("%s: %d, asked for %v, done %v", kind, w.Code, rights, d.asked)
		}
	}
}

// TestAPartReadsNoManifest: who may list pods may not read an ingress by that.
func TestAPartReadsNoManifest(t *testing.T) {
	s := sample(2)
	d := &s.dockets[0]
	d.Enforcement = &docket.Enforcement{ID: "e", Action: docket.DeleteIngress, State: docket.Done, Target: d.Root, Prior: docket.Prior{ResourceVersion: "7", Manifest: []byte(`{"note":"` + marker + `"}`)}}
	h := guarded(t, s, &desk{}, people{})
	for token, want := range map[string]bool{"tenant": false, "auditor": true} {
		w := send(h, "GET", "/api/v1/cases/c0000", "", "Authorization", "Bearer "+token)
		if w.Code != 200 || strings.Contains(w.Body.String(), "manifest") != want || !strings.Contains(w.Body.String(), `"resourceVersion":"7"`) {
			t.Errorf("%s: %d %s", token, w.Code, w.Body)
		}
	}
	if d.Enforcement.Prior.Manifest == nil {
		t.Error("the ledger's own was changed")
	}
}

// TestALongNameMayFreeze: the API server gives names, and bounds them.
func TestALongNameMayFreeze(t *testing.T) {
	d, name := &desk{}, strings.Repeat("n", 500)
	guard, err := login.New(login.Settings{Reviewer: named{name: name}, Book: login.NewBook(noon)})
	if err != nil {
		t.Fatal(err)
	}
	h, err := report.New(report.Settings{Ledger: sample(1), Control: d, Now: noon, Guard: guard, Cluster: "k"})
	if err != nil {
		t.Fatal(err)
	}
	if w := send(h, "POST", "/api/v1/freeze", `{"scope":"global","reason":"why"}`, "Content-Type", "application/json", "Authorization", "Bearer x"); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

type named struct {
	people
	name string
}

func (n named) Who(context.Context, string) (login.Reader, error) {
	return login.Reader{Name: n.name}, nil
}

// TestWhoseUndoCounts: of who may change one namespace it is told that it is their own; of
// who may change all, and where there is no login, it counts.
func TestWhoseUndoCounts(t *testing.T) {
	for token, own := range map[string]bool{"writer": true, "operator": false, "": false} {
		d := &desk{}
		h := guarded(t, sample(3), d, people{})
		body := `{"reason":"why"}`
		if token == "" {
			h, body = build(t, sample(3), d), `{"by":"ana","reason":"why"}`
		}
		if w := send(h, "POST", "/api/v1/cases/c0000/undo", body, "Content-Type", "application/json", "Authorization", "Bearer "+token); w.Code != 200 || d.own != own {
			t.Errorf("%q: %d, own %v", token, w.Code, d.own)
		}
	}
}

// A right holds in the cluster that was asked.
func TestAnotherClustersRowsAreHidden(t *testing.T) {
	s := sample(3)
	s.dockets[0].Key.Cluster = "other"
	if w := send(guarded(t, s, &desk{}, people{}), "GET", "/cases/c0000", "", "Authorization", "Bearer tenant"); w.Code != 404 {
		t.Errorf("%d", w.Code)
	}
}
