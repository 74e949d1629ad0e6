package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/report"
)

func openLedger(t *testing.T) *sqlite.Ledger {
	t.Helper()
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "l.db"), noon)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// put stores a docket with one case and what happened to it.
func put(t *testing.T, l *sqlite.Ledger, namespace, root, severity, evidence string, due time.Time) {
	t.Helper()
	d := docket.Docket{Key: docket.Key{Cluster: "k", Root: root}, Cluster: "prod", ObservedAt: noon(), RootCreated: noon(),
		Root:  v1.Root{Kind: "Deployment", Namespace: namespace, Name: root, UID: root},
		Owner: v1.Owner{Emails: []string{"a@example.com"}, Platform: true}}
	c := docket.Case{Rule: "IMAGE_REPO", Severity: severity, State: docket.Open, Source: "app", From: v1.FromTemplate, FirstSeen: noon(), OpenedAt: noon(),
		LastSeen: noon(), Evidence: evidence, Plan: docket.Plan{Step: "wait", Next: "act", At: due}}
	c.ID = docket.CaseID(d.Key, c.Rule, c.Source, c.From)
	d.Cases = []docket.Case{c}
	if _, err := l.CompareAndSet(t.Context(), d, []docket.Entry{{At: noon(), Kind: docket.EntryOpened, Case: c.ID, Text: "opened: " + evidence}}); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, h http.Handler, path string, to any) {
	t.Helper()
	w := send(h, "GET", path, "", "Authorization", "Bearer tenant")
	if err := json.Unmarshal(w.Body.Bytes(), to); err != nil || w.Code != 200 {
		t.Fatalf("%s: %d %s", path, w.Code, w.Body)
	}
}

// guesses are what a reader may try to learn of rows that they may not see.
func guesses() []string {
	return []string{"q=falcon", "q=kestrel", "q=kes*", "q=buzzard", "namespace=merger-with-acme", "namespace=nothing-like-it", "owner=a@example.com", "owner=b@example.com",
		"rule=IMAGE_REPO", "rule=PRIVILEGED", ""}
}

// TestNothingIsToldByHowAListGoesOn asks a tenant's questions of a ledger with and without
// rows of others: every answer is the same to the letter.
func TestNothingIsToldByHowAListGoesOn(t *testing.T) {
	alone, among := openLedger(t), openLedger(t)
	for _, l := range []*sqlite.Ledger{alone, among} {
		put(t, l, "shop", "mine", "critical", "registry/falcon osprey kestrel buzzard", noon().Add(time.Hour))
	}
	for i := range 25 {
		put(t, among, "merger-with-acme", fmt.Sprint("r", i), "low", "registry/kestrel:7 secret project", noon().Add(time.Minute))
	}
	one, other := guarded(t, alone, &desk{}, people{}), guarded(t, among, &desk{}, people{})
	for _, path := range []string{"/api/v1/cases?limit=1&", "/api/v1/history?limit=1&", "/api/v1/next?limit=1", "/api/v1/owners?limit=1", "/api/v1/acts?what=refused", "/api/v1/overview", "/cases.csv?", "/history.csv?", "/?"} {
		for _, guess := range guesses() {
			if !strings.HasSuffix(path, "&") {
				guess = ""
			}
			want, got := send(one, "GET", path+guess, "", "Authorization", "Bearer tenant"), send(other, "GET", path+guess, "", "Authorization", "Bearer tenant")
			if want.Code != 200 || got.Code != 200 || got.Body.String() != want.Body.String() {
				t.Errorf("%s%s: %d\n%.400s\nand without others %d\n%.400s", path, guess, got.Code, got.Body, want.Code, want.Body)
			}
		}
	}
}

// TestWhatIsOursIsFoundBehindOthers puts one step behind many of others.
func TestWhatIsOursIsFoundBehindOthers(t *testing.T) {
	l := openLedger(t)
	for i := range 170 {
		put(t, l, "billing", fmt.Sprint("r", i), "critical", "x", noon().Add(time.Minute))
	}
	put(t, l, "shop", "mine", "low", "x", noon().Add(time.Hour))
	h := guarded(t, l, &desk{}, people{})
	if body := send(h, "GET", "/", "", "Authorization", "Bearer tenant").Body.String(); strings.Contains(body, "Nothing is due.") || !strings.Contains(body, "mine") {
		t.Error("an act on shop/mine is due in an hour, and the overview says nothing of it")
	}
	var o ledger.Overview
	if get(t, h, "/api/v1/overview", &o); len(o.ByNamespace) != 1 || o.ByNamespace[0] != (ledger.Count{Name: "shop", N: 1}) {
		t.Errorf("counts %v", o.ByNamespace)
	}
}

// TestOurOwnSpendingIsFoundBehindOthers spends in more namespaces than a budget lists.
func TestOurOwnSpendingIsFoundBehindOthers(t *testing.T) {
	d := &spender{n: 300}
	h := guarded(t, sample(3), d, people{})
	var st report.Status
	get(t, h, "/api/v1/status", &st)
	if len(st.Budget.Spent) != 1 || st.Budget.Spent[0].Name != "shop" {
		t.Errorf("spent %+v", st.Budget.Spent)
	}
	w := send(h, "GET", "/api/v1/status", "", "Authorization", "Bearer auditor")
	if err := json.Unmarshal(w.Body.Bytes(), &st); err != nil || len(st.Budget.Spent) != 200 {
		t.Errorf("who sees all: %d, %v", len(st.Budget.Spent), err)
	}
}

// spender is a desk with a long list of who spent, the tenant last.
type spender struct {
	desk
	n int
}

func (d *spender) Status(ctx context.Context) (report.Status, error) {
	d.asked = append(d.asked, "status")
	st, err := d.desk.Status(ctx)
	st.Budget.Spent = nil
	for i := range d.n {
		st.Budget.Spent = append(st.Budget.Spent, report.Spent{By: "namespace", Name: fmt.Sprint("other-", i), Used: 3})
	}
	st.Budget.Spent = append(st.Budget.Spent, report.Spent{By: "namespace", Name: "shop", Used: 1})
	st.Budget.LastAt, st.Budget.PerHour = noon().Add(-7*time.Minute), 37
	return st, err
}

// TestThePartialStatus names all that who sees a part is told.
func TestThePartialStatus(t *testing.T) {
	var st report.Status
	get(t, guarded(t, sample(3), &spender{}, people{}), "/api/v1/status", &st)
	if want := (report.Status{Mode: "enforce", Enforcement: "for who sees every namespace", Cluster: "production",
		Freezes: []report.Freeze{{Scope: "rule/INGRESS_HOST", At: noon().Add(-2 * time.Hour)}},
		Budget: report.Budget{PerHour: -1, UsedHour: -1, PerDay: 20, UsedDay: -1, PerNamespace: 3, PerOwner: 3, PerRule: 5, Waiting: -1,
			Spent: []report.Spent{{By: "namespace", Name: "shop", Used: 1}}}}); fmt.Sprint(st) != fmt.Sprint(want) {
		t.Errorf("got\n%+v\nwant\n%+v", st, want)
	}
}

// TestTheStatusIsKeptForAMoment wants few questions by many pages, and a new one after a change.
func TestTheStatusIsKeptForAMoment(t *testing.T) {
	d := &spender{}
	h := guarded(t, sample(3), d, people{})
	for range 20 {
		send(h, "GET", "/nowhere", "", "Authorization", "Bearer tenant")
	}
	if len(d.asked) != 1 {
		t.Errorf("asked %d times by 20 pages", len(d.asked))
	}
	send(h, "POST", "/api/v1/freeze", `{"scope":"global","reason":"why"}`, "Content-Type", "application/json", "Authorization", "Bearer operator")
	send(h, "GET", "/", "", "Authorization", "Bearer operator")
	if len(d.asked) != 3 { // status, freeze, status
		t.Errorf("after a freeze: %v", d.asked)
	}
}

// TestAnErrorOfTheStatusShowsNothing gives words about others beside an error.
func TestAnErrorOfTheStatusShowsNothing(t *testing.T) {
	g := &gossip{}
	g.err = errors.New("the budget cannot be read")
	h := guarded(t, sample(3), g, people{})
	for _, path := range []string{"/", "/nowhere", "/enforcement", "/api/v1/status", "/api/v1/budget", "/budget"} {
		for _, token := range []string{"tenant", "auditor"} {
			if body := send(h, "GET", path, "", "Authorization", "Bearer "+token).Body.String(); strings.Contains(body, marker) || strings.Contains(body, "INGRESS_HOST") {
				t.Errorf("%s to %s tells of others", path, token)
			}
		}
	}
}

// counting counts the questions about rights, and how many are open at once.
type counting struct {
	people
	asked, open, most *atomic.Int64
}

func (p counting) May(ctx context.Context, who login.Reader, right login.Right, namespace string) (bool, error) {
	p.asked.Add(1)
	n := p.open.Add(1)
	defer p.open.Add(-1)
	for m := p.most.Load(); n > m && !p.most.CompareAndSwap(m, n); m = p.most.Load() {
	}
	return p.people.May(ctx, who, right, namespace)
}

func TestQuestionsOfOneRequestAreBounded(t *testing.T) {
	for _, tc := range []struct {
		spaces int
		path   string
		token  string
		code   int
		most   int64
	}{{300, "/api/v1/overview", "tenant", 200, 303}, {300, "/api/v1/overview", "auditor", 200, 3}, {300, "/api/v1/cases?namespace=shop", "tenant", 200, 3},
		{5001, "/api/v1/overview", "tenant", 403, 3}, {5001, "/api/v1/cases?namespace=shop", "tenant", 200, 3}, {5001, "/api/v1/overview", "auditor", 200, 3}} {
		s := sample(tc.spaces)
		for i := range s.dockets {
			s.dockets[i].Root.Namespace = fmt.Sprint("ns-", i)
		}
		p := counting{asked: &atomic.Int64{}, open: &atomic.Int64{}, most: &atomic.Int64{}}
		guard, err := login.New(login.Settings{Reviewer: p, Book: login.NewBook(noon)})
		if err != nil {
			t.Fatal(err)
		}
		h, err := report.New(report.Settings{Ledger: s, Control: &desk{}, Now: noon, Guard: guard, Cluster: "k"})
		if err != nil {
			t.Fatal(err)
		}
		w := send(h, "GET", tc.path, "", "Authorization", "Bearer "+tc.token)
		if w.Code != tc.code || p.asked.Load() > tc.most || p.most.Load() > 10 {
			t.Errorf("%+v: %d, %d questions, %d at once: %.200s", tc, w.Code, p.asked.Load(), p.most.Load(), w.Body)
		}
	}
}
