package cli

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/report"
)

// acts is a running K8Guard with two pages of acts; the one on "stuck" cannot be undone.
type acts struct {
	mu    sync.Mutex
	asked []string
	opens bool // an undo opens the breaker, which was closed
	open  bool // it was open before
	fresh int  // how often the status was asked for anew
}

func (a *acts) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if r.Method == http.MethodPost {
		body, _ := io.ReadAll(r.Body)
		a.asked = append(a.asked, r.URL.Path+" "+string(body))
		if strings.Contains(r.URL.Path, "c-stuck") {
			w.WriteHeader(http.StatusConflict)
			_, _ = io.WriteString(w, `{"detail":"set by carol\u001b[31m"}`)
			return
		}
		_, _ = io.WriteString(w, `{"result":"it is resumed"}`)
		return
	}
	if r.URL.Path == "/api/v1/cases" {
		_, _ = io.WriteString(w, `{"rows": [], "total": 0}`)
		return
	}
	if r.URL.Path == "/api/v1/status" {
		if r.Header.Get("Cache-Control") == "no-cache" {
			a.fresh++
		}
		_ = json.NewEncoder(w).Encode(report.Status{Breaker: report.Breaker{Open: a.open || a.opens && len(a.asked) > 0, Reason: "2 undos within\u001b an hour"}})
		return
	}
	row := func(name, namespace string, age time.Duration, state docket.EnforcementState) ledger.ActRow {
		return ledger.ActRow{Root: v1.Root{Kind: "CronJob", Namespace: namespace, Name: name}, Enforcement: &docket.Enforcement{
			Action: docket.Suspend, State: state, DoneAt: time.Now().Add(-age), Cases: []string{"c-" + name}}}
	}
	page := ledger.ActPage{Next: "more", Rows: []ledger.ActRow{row("late", "shop", time.Minute, docket.Done), row("open", "shop", time.Minute, docket.Intent)}}
	if r.URL.Query().Get("cursor") == "more" {
		page = ledger.ActPage{Rows: []ledger.ActRow{row("stuck", "shop", time.Hour, docket.Done), row("other", "else", time.Hour, docket.Done),
			row("old", "shop", 3*time.Hour, docket.Done)}}
	}
	_ = json.NewEncoder(w).Encode(page)
}

func TestUndoSince(t *testing.T) {
	var a acts
	socket := running(t, a.ServeHTTP)
	at := []string{"--set", "report.socket=" + socket, "--every", "1ms", "--by", "ada"}
	out, _, err := with(t, nil, append([]string{"undo", "--since", "2h", "-n", "shop", "--dry-run"}, at...)...)
	if err != nil || len(a.asked) != 0 || !strings.Contains(out, "1/2 CronJob/shop/stuck: suspend, case c-stuck") {
		t.Errorf("dry run: %q, %v, asked %q", out, err, a.asked)
	}
	out, _, err = with(t, nil, append([]string{"undo", "--since", "2h", "-n", "shop", "--reason", "a wrong rule"}, at...)...)
	want := []string{`/api/v1/cases/c-stuck/undo {"by":"ada","reason":"a wrong rule"}`, `/api/v1/cases/c-late/undo {"by":"ada","reason":"a wrong rule"}`}
	if Code(err) != ExitFailure || !strings.Contains(Message(err), "1 of 2 were not taken back") || strings.Join(a.asked, "|") != strings.Join(want, "|") {
		t.Errorf("%q, %v, asked %q", out, err, a.asked)
	}
	if strings.Contains(out, "\x1b") || !strings.Contains(out, "2/2 it is resumed") {
		t.Errorf("printed %q", out)
	}
	for _, wrong := range [][]string{{"undo", "--reason", "x"}, {"undo", "c-1", "--since", "1h", "--reason", "x"}, {"undo", "--since", "1h"}, {"undo", "--since", "-1h", "--reason", "x"}} {
		if _, _, err := with(t, nil, append(wrong, at...)...); Code(err) != ExitFailure {
			t.Errorf("%q: %v", wrong, err)
		}
	}
}

// Undos may open the circuit breaker, which stops everything: whoever undoes is told at once.
func TestUndoSaysThatTheBreakerOpened(t *testing.T) {
	for _, command := range []string{"undo --since 2h -n shop --every 1ms", "undo c-late"} {
		for _, output := range []string{"text", "json"} {
			for _, opens := range []bool{true, false} {
				a := acts{opens: opens}
				socket := running(t, a.ServeHTTP)
				out, errs, _ := with(t, nil, append(strings.Fields(command), "--reason", "a wrong rule", "-o", output, "--set", "report.socket="+socket)...)
				said, other := out, errs
				if output == "json" {
					said, other = errs, out
				}
				told := strings.Contains(said, "the circuit breaker opened (2 undos within") && strings.Contains(said, "k8guard breaker close")
				if told != opens || strings.Contains(other, "breaker") || strings.Contains(said, "\x1b") {
					t.Errorf("%s -o %s, opens %v: %q, %q", command, output, opens, out, errs)
				}
			}
		}
	}
}

// A breaker that is open already is said to be so: nothing is acted on, whoever opened it.
func TestUndoSaysThatTheBreakerIsOpen(t *testing.T) {
	a := acts{open: true}
	socket := running(t, a.ServeHTTP)
	out, _, err := with(t, nil, "undo", "c-late", "--reason", "a wrong rule", "--set", "report.socket="+socket)
	if err != nil || !strings.Contains(out, "the circuit breaker is open since") || !strings.Contains(out, "k8guard breaker close") || a.fresh != 2 {
		t.Errorf("%q, %v, asked anew %d times", out, err, a.fresh)
	}
}

// Of several clusters each has a breaker, and the command that closes it names it.
func TestTheBreakerOfOneOfSeveralClusters(t *testing.T) {
	posts := 0
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	socket := running(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts++
			_, _ = io.WriteString(w, `{"result":"done"}`)
			return
		}
		east, west := report.Cluster{Name: "east"}, report.Cluster{Name: "west", Breaker: report.Breaker{Open: true, At: at.Add(-time.Hour), Reason: "a drill"}}
		if posts > 0 {
			east.Breaker = report.Breaker{Open: true, At: at, Reason: "2 undos"}
		}
		_ = json.NewEncoder(w).Encode(report.Status{Breaker: west.Breaker, Clusters: []report.Cluster{west, east}})
	})
	out, _, err := with(t, nil, "undo", "c-late", "--reason", "x", "--set", "report.socket="+socket)
	want := "the circuit breaker of cluster east opened (2 undos): nothing more is acted on there, until a person says: k8guard breaker close --cluster east --reason \"...\"\n" +
		"the circuit breaker of cluster west is open since 2026-01-02T02:04:05Z (a drill)"
	if err != nil || !strings.Contains(out, want) {
		t.Errorf("%v\n%s", err, out)
	}
}
