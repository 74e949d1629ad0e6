package judge_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/test/judge"
)

func TestNotices(t *testing.T) {
	state := func(n int, change func(*judge.Notice)) func(*world) {
		return func(w *world) {
			x := w.dump.Notices[key(n)]
			change(&x)
			w.dump.Notices[key(n)] = x
		}
	}
	convict(t, []doctored{
		{"no mail", func(w *world) { w.mails = nil }, "0 mails"},
		{"no terms", func(w *world) { w.terms.Warnings = 0 }, "terms of 0"},
		{"a notice twice", func(w *world) {
			m := mail(3)
			m.Header["X-K8guard-Notice"] = []string{key(1)}
			w.mails = append(w.mails, m)
		}, "repeats mail 1: notice/"},
		{"a message twice", func(w *world) { w.mails[1].Header["Message-Id"] = []string{"<1@x>"} }, "repeats mail 1: <1@x>"},
		{"no notice header", func(w *world) { delete(w.mails[0].Header, "X-K8guard-Notice") }, "no X-K8Guard-Notice"},
		{"too many", func(w *world) { w.terms.Tries = 2; m := mail(3, "c-mjcq2"); w.mails = append(w.mails, m) }, "3 mails warn of it, at most 2"},
		{"off the record", func(w *world) { delete(w.dump.Notices, key(2)) }, "the ledger says \"\""},
		{"said to be unsent", state(2, func(n *judge.Notice) { n.State = "due" }), "the ledger says \"due\""},
		{"not the owner", func(w *world) { w.mails[1].Rcpts = []string{"thief@evil.example"} }, "whose owners are"},
		{"more than was composed", state(2, func(n *judge.Notice) { n.Digest.Items = n.Digest.Items[:1] }), "does not hold"},
		{"too few arrived", func(w *world) { w.mails = w.mails[:1] }, "1 confirmed warnings of case c-mjcq2 before it, 2 are needed"},
		{"too few confirmed", state(2, func(n *judge.Notice) { n.State = "unknown" }), "1 confirmed warnings"},
		{"arrived too late", func(w *world) { w.mails[1].At = at(36) }, "1 confirmed warnings"},
		{"confirmed too late", state(2, func(n *judge.Notice) { n.LastTry = at(36) }), "1 confirmed warnings"},
		{"a tenant's owner", state(2, func(n *judge.Notice) { n.Owner.Platform = false }), "1 confirmed warnings"},
		{"an all-clear is no warning", func(w *world) {
			w.mails[1].Text = strings.Replace(w.mails[1].Text, "== Warnings ==", "== Resolved ==", 1)
		}, "1 confirmed warnings"},
		{"an act for nothing", func(w *world) { w.dump.Dockets[0].Enforcement.Cases = nil }, "for no case"},
	}, func(w *world) error { return judge.Notices(w.mails, w.dump, w.terms) })
}

func TestLostAndOutcome(t *testing.T) {
	convict(t, []doctored{
		{"nothing looked for", func(w *world) { w.lost = nil }, "no violation was given"},
		{"no docket", func(w *world) { w.dump.Dockets = w.dump.Dockets[1:] }, "web (u-web) violates"},
		{"no case", func(w *world) { w.dump.Dockets[0].Cases = nil }, "web (u-web) violates"},
		{"another rule's case", func(w *world) { w.dump.Dockets[0].Cases[0].Rule = "OTHER" }, "web (u-web) violates R on app"},
		{"another source's case", func(w *world) { w.dump.Dockets[1].Cases[0].Source = "side" }, "in (u-in) violates R on app"},
	}, func(w *world) error { return judge.Lost(w.lost, w.dump) })
	convict(t, []doctored{
		{"no docket", func(w *world) { w.dump.Dockets = w.dump.Dockets[1:] }, "1 of 2 roots"},
		{"waits for ever", func(w *world) { w.dump.Dockets[0].Enforcement = nil }, "neither acted on nor left to a human"},
		{"a human without a cause", func(w *world) {
			w.dump.Dockets[0].Enforcement = nil
			w.dump.Dockets[0].Cases[0].Plan.Reason = "needs-human"
		}, "without a send of unknown outcome"},
	}, func(w *world) error { _, _, err := judge.Outcome(w.roots, w.dump); return err })
	w := honest(t)
	w.dump.Dockets[0].Enforcement = nil
	w.dump.Dockets[0].Cases[0].Plan.Reason, w.dump.Dockets[0].Cases[0].Notices[0].Result = "needs-human", "unknown"
	if acted, human, err := judge.Outcome(w.roots, w.dump); acted != 1 || human != 1 || err != nil {
		t.Errorf("got %d acted, %d human, %v", acted, human, err)
	}
}

// The product writes, the judge reads with its own SQL: the names must agree.
func TestReadLedger(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if _, err := judge.ReadLedger(t.Context(), path); err == nil || !strings.Contains(err.Error(), "no docket") {
		t.Errorf("an empty ledger: %v", err)
	}
	three := int32(3)
	root := v1.Root{Kind: "Deployment", Namespace: "shop", Name: "web", UID: "u-web"}
	d := docket.Docket{Key: docket.Key{Cluster: "c", Root: "u-web"}, Root: root,
		Cases: []docket.Case{{ID: "c-mjcq2", State: docket.Acted, Plan: docket.Plan{Reason: "acted"},
			Notices: []docket.NoticeRef{{Key: "notice/k", Purpose: docket.Warning, Owner: "o", Result: docket.Sent}}}},
		Enforcement: &docket.Enforcement{ID: "e-1", Action: docket.ScaleToZero, State: docket.Done, Target: root, Cases: []string{"c-mjcq2"},
			Prior: docket.Prior{ResourceVersion: "7", Replicas: &three}, IntentAt: at(1)}}
	entry := docket.Entry{At: at(2), Kind: docket.EntryActed, Case: "c-mjcq2", Data: map[string]string{"enforcement": "e-1"}}
	if _, err := l.CompareAndSet(t.Context(), d, []docket.Entry{entry}); err != nil {
		t.Fatal(err)
	}
	value := `{"key":"notice/k","state":"sent","owner":{"emails":["o"],"platform":true},"digest":{"items":[{"case":"c-mjcq2","purpose":"warning"}]}}`
	if _, err := l.Put(t.Context(), ledger.Record{Key: "notice/k", Value: []byte(value)}); err != nil {
		t.Fatal(err)
	}
	got, err := judge.ReadLedger(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	x, n := got.Dockets[0], got.Notices["notice/k"]
	e := x.Enforcement
	if x.Key.Root != "u-web" || x.Root.String() != "Deployment/shop/web" || x.Cases[0].ID != "c-mjcq2" || x.Cases[0].Notices[0].Result != "sent" ||
		e.State != "done" || e.Prior.ResourceVersion != "7" || *e.Prior.Replicas != 3 || e.Target.UID != "u-web" || !e.IntentAt.Equal(at(1)) {
		t.Errorf("docket: %+v, %+v", x, e)
	}
	if h := got.History[0]; h.Kind != "acted" || h.Case != "c-mjcq2" || h.Data["enforcement"] != "e-1" || !h.At.Equal(at(2)) || h.Root != "u-web" {
		t.Errorf("history: %+v", h)
	}
	if n.State != "sent" || !n.Owner.Platform || n.Digest.Items[0].Purpose != "warning" {
		t.Errorf("notice: %+v", n)
	}
}

func TestTheJudgeIsOutsideTheProduct(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(out), "k8guard/test/judge") || strings.Contains(string(out), "k8guard/internal/") {
		t.Errorf("it depends on the product:\n%s", out)
	}
}
