package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/report"
)

func send(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "http://localhost"+path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnswers(t *testing.T) {
	for _, tc := range []struct {
		n    int
		path string
		code int
		want string
	}{
		{0, "/", 200, "Nothing is due"}, {0, "/", 200, "tags are &lt;fixed&gt;"}, {0, "/", 200, "breaker tripped"}, {0, "/api/v1/status", 200, `"by":"bo"`},
		{200, "/", 200, "What happens next"},
		{0, "/cases", 200, "No case matches"}, {3, "/cases?namespace=shop", 200, `href="/cases?namespace=shop&amp;status=standing"`}, {200, "/cases", 200, "cursor=at50"}, {200, "/cases?cursor=at20&rule=IMAGE_REPO", 200, "1 of 3"},
		{3, "/cases/c0000", 200, "Nobody vouches for it."}, {3, "/cases/c0001", 200, "k8guard undo c0001"},
		{3, "/cases/none", 404, "no case is called"}, {3, "/nowhere", 404, "no page"},
		{3, "/cases?cursor=bad", 400, "cursor:"}, {3, "/cases?status=bad", 400, "status:"}, {3, "/cases?limit=0", 400, "limit:"}, {3, "/cases?rul=x", 400, "not a parameter"},
		{3, "/style.css", 200, "color-scheme"},
		{3, "/api/v1/overview", 200, `"byStatus"`}, {3, "/api/v1/status", 200, `"freezes"`}, {3, "/api/v1/cases?limit=1", 200, `"next":"at1"`},
		{3, "/api/v1/cases/c0001", 200, `"enforcement"`}, {3, "/api/v1/history?limit=2", 200, `"entry"`}, {3, "/api/v1/history?limit=x", 400, "limit:"},
		{3, "/history", 200, "warning 1 confirmed"}, {0, "/history?q=nginx&since=2026-05-04&until=2026-05-04", 200, "No entry matches"}, {3, "/history?since=yesterday", 400, "since:"},
		{3, "/history?kind=x", 400, "kind:"}, {3, "/history?cursor=x", 400, "cursor:"}, {3, "/api/v1/history?q=" + strings.Repeat("x", 300), 400, "q:"},
		{3, "/next", 200, "The next 24 hours"}, {0, "/next", 200, "Nothing is due"}, {3, "/next?hours=0", 400, "hours:"}, {3, "/api/v1/next?hours=1", 200, `"rows"`},
		{3, "/owners", 200, "team-0@example.com"}, {0, "/owners", 200, "Nobody owns"}, {3, "/api/v1/owners", 200, `"needsHuman":2`},
		{3, "/enforcement", 200, "scale-to-zero"}, {6, "/enforcement?what=refused", 200, "13 availability"}, {3, "/enforcement?what=undone", 200, "None."},
		{3, "/enforcement?what=x", 400, "what:"}, {6, "/api/v1/acts?what=refused", 200, `"rule":13`},
		{3, "/budget", 200, "Spent in the last 24 hours"}, {3, "/api/v1/budget", 200, `"left":4`}, {3, "/api/v1/openapi.json", 200, `"openapi":"3.1.0"`},
		{3, "/api/v1/cases/none", 404, `"status":404`}, {3, "/api/v1/cases?cursor=bad", 400, "cursor:"}, {3, "/api/v1/nothing", 404, `"detail"`},
	} {
		w := send(build(t, sample(tc.n), &desk{}), "GET", tc.path, "")
		if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.want) {
			t.Errorf("GET %s with %d cases: %d, want %d and %q in\n%.900s", tc.path, tc.n, w.Code, tc.code, tc.want, w.Body)
		}
		if csp := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %s: headers %v", tc.path, w.Header())
		}
		api := strings.HasPrefix(tc.path, "/api/")
		if kind := w.Header().Get("Content-Type"); api != strings.Contains(kind, "json") || (api && tc.code > 299) != strings.Contains(kind, "problem") {
			t.Errorf("GET %s: Content-Type %q", tc.path, kind)
		}
	}
}

func TestHosts(t *testing.T) {
	h := build(t, sample(1), &desk{})
	for host, code := range map[string]int{"127.0.0.1:80": 200, "[::1]:80": 200, "localhost": 200, "evil.example": 421, "127.0.0.1.evil.example": 421, "": 421} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != code {
			t.Errorf("Host %q: %d, want %d", host, w.Code, code)
		}
	}
}

func TestPosts(t *testing.T) {
	const form, js = "application/x-www-form-urlencoded", "application/json"
	for _, tc := range []struct {
		path, kind, body, site string
		code                   int
		asked                  string
	}{
		{"/cases/c0001/undo", form, "by=ana&reason=mine", "same-origin", 303, "undo c0001 ana mine"},
		{"/cases/c0001/undo", form, "by=ana&reason=mine", "cross-site", 403, ""},
		{"/cases/c0001/undo", form, "by=ana", "same-origin", 400, ""},
		{"/cases/c0001/ack", form, "by=ana&reason=mine&for=48h", "same-origin", 303, "ack c0001 ana mine 48h0m0s"},
		{"/cases/c0001/ack", form, "by=ana&reason=mine", "cross-site", 403, ""},
		{"/cases/c0001/ack", form, "by=ana", "same-origin", 400, ""},
		{"/cases/c0001/ack", form, "by=ana&reason=mine&for=long", "same-origin", 400, ""},
		{"/cases/c0001/ack", form, "by=ana&reason=mine&for=721h", "same-origin", 400, ""},
		{"/api/v1/cases/c0001/ack", js, `{"by":"ana","reason":"mine"}`, "", 200, "ack c0001 ana mine 0s"},
		{"/api/v1/cases/none/ack", js, `{"by":"ana","reason":"mine"}`, "", 404, ""},
		{"/cases/none/undo", form, "by=ana&reason=mine", "same-origin", 404, ""},
		{"/freeze", form, "scope=global&by=ana&reason=storm", "same-origin", 303, "freeze global ana storm"},
		{"/freeze", form, "scope=all&by=ana&reason=storm", "same-origin", 400, ""},
		{"/unfreeze", form, "scope=rule/X&by=ana&reason=over", "same-origin", 303, "unfreeze rule/X ana over"},
		{"/api/v1/freeze", js, `{"scope":"global","by":"ana","reason":"storm"}`, "", 200, "freeze global ana storm"},
		{"/api/v1/unfreeze", js, `{"scope":"global","by":"ana","reason":"over"}`, "", 200, "unfreeze global ana over"},
		{"/api/v1/freeze", js, `{"scope":"global","by":"ana","reason":"storm"}`, "cross-site", 403, ""},
		{"/api/v1/freeze", js, `{"scop":"global"}`, "", 400, ""},
		{"/api/v1/freeze", "text/plain", `{"scope":"global","by":"ana","reason":"storm"}`, "", 415, ""},
		{"/api/v1/cases/c0001/undo", js, `{"by":"ana","reason":"mine"}`, "", 200, "undo c0001 ana mine"},
	} {
		d := &desk{}
		w := send(build(t, sample(3), d), "POST", tc.path, tc.body, "Content-Type", tc.kind, "Sec-Fetch-Site", tc.site)
		if w.Code != tc.code || strings.Join(d.asked, ";") != tc.asked {
			t.Errorf("POST %s %s %q: %d %q, want %d %q", tc.path, tc.site, tc.body, w.Code, d.asked, tc.code, tc.asked)
		}
	}
}

func TestRefusedUndoSaysWhy(t *testing.T) {
	d := &desk{err: errors.New("the object was changed since")}
	w := send(build(t, sample(3), d), "POST", "/api/v1/cases/c0001/undo", `{"by":"a","reason":"b"}`, "Content-Type", "application/json")
	if w.Code != 409 || !strings.Contains(w.Body.String(), "changed since") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestTroubleIsShown(t *testing.T) {
	if w := send(build(t, sample(1), &desk{stale: true}), "GET", "/", ""); !strings.Contains(w.Body.String(), "<b>Stale.</b>") {
		t.Error("a stale watch is not shown")
	}
	if w := send(build(t, sample(1), &desk{err: errors.New("down")}), "GET", "/", ""); w.Code != 200 || !strings.Contains(w.Body.String(), "does not answer") {
		t.Errorf("a dead action service is not shown: %d", w.Code)
	}
}

// What was undone is no act in force, and offers no undo.
func TestTheOverviewOffersUndoOfWhatIsInForce(t *testing.T) {
	s := sample(2) // the second is acted on
	offer := "/cases/" + s.dockets[1].Cases[0].ID + "#undo"
	if page := send(build(t, s, &desk{}), "GET", "/", "").Body.String(); !strings.Contains(page, offer) {
		t.Fatal("an act in force offers no undo")
	}
	s.dockets[1].Enforcement.State = docket.Undid
	if page := send(build(t, s, &desk{}), "GET", "/", "").Body.String(); strings.Contains(page, offer) {
		t.Error("what was undone offers an undo")
	}
}

func TestHostileText(t *testing.T) {
	const evil = "\"><script>alert(1)</script><a href='javascript:alert(2)' onclick=x>\u202egnp\x00\x1b[31m"
	s := sample(5)
	for i := range s.dockets {
		d := &s.dockets[i]
		d.Root.Name, d.Root.Namespace, d.Owner.Emails[0], d.Owner.From, d.Dormant = evil, evil, "javascript:alert(3)", evil, evil
		c := &d.Cases[0]
		c.Message, c.Source, c.Evidence, c.Path, c.Severity, c.Plan.Text, c.Unknown = evil, evil, evil, evil, evil, evil, evil
	}
	s.dockets[1].Enforcement.Evidence[0], s.dockets[4].Refusal.Text = evil, evil
	h := build(t, s, &desk{})
	for _, path := range []string{"/", "/cases", "/cases/c0000", "/cases/c0001", "/cases?namespace=%22%3E%3Cscript%3E", "/history", "/history?q=%22%3E%3Cscript%3E", "/next", "/owners", "/enforcement", "/enforcement?what=refused"} {
		text := send(h, "GET", path, "").Body.String()
		if strings.ContainsAny(text, "\u202e\x00\x1b") {
			t.Errorf("%s: control or bidi characters are obeyed", path)
		}
		root, err := html.Parse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && n.Data == "script" {
				t.Errorf("%s: a script element", path)
			}
			for _, a := range n.Attr {
				if strings.HasPrefix(a.Key, "on") || (a.Key == "href" && !strings.HasPrefix(a.Val, "/") && a.Val != "data:," && a.Val != "#content") {
					t.Errorf("%s: <%s %s=%q>", path, n.Data, a.Key, a.Val)
				}
			}
		}
	}
}

func TestProblemShape(t *testing.T) {
	var p map[string]any
	if err := json.Unmarshal(send(build(t, sample(1), &desk{}), "GET", "/api/v1/cases?limit=x", "").Body.Bytes(), &p); err != nil {
		t.Fatal(err)
	}
	if p["title"] != "Bad Request" || p["status"] != 400.0 || !strings.HasPrefix(p["detail"].(string), "limit:") {
		t.Errorf("%v", p)
	}
}

func TestNewWantsItsParts(t *testing.T) {
	if _, err := report.New(report.Settings{}); err == nil {
		t.Error("no error without a ledger")
	}
}

// TestServe serves the fixtures for looking at them: K8GUARD_REPORT_SERVE=127.0.0.1:PORT.
func TestServe(t *testing.T) {
	addr := os.Getenv("K8GUARD_REPORT_SERVE")
	if addr == "" {
		t.Skip("set K8GUARD_REPORT_SERVE=127.0.0.1:PORT to look at the fixtures for two minutes")
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: build(t, sample(40), &desk{}), ReadHeaderTimeout: time.Second}
	time.AfterFunc(2*time.Minute, func() { _ = srv.Shutdown(context.Background()) })
	_ = srv.Serve(l)
}

// aged has a history that is longer than a page.
type aged struct{ shelf }

func (a aged) Latest(_ context.Context, key docket.Key, limit int) ([]ledger.Line, error) {
	return []ledger.Line{{Seq: 5000, Docket: key, Entry: docket.Entry{At: noon(), Kind: docket.EntryNotice, Text: fmt.Sprint("the newest of ", limit)}}}, nil
}

func TestACaseShowsTheEndOfItsHistory(t *testing.T) {
	h, err := report.New(report.Settings{Ledger: aged{sample(1)}, Control: &desk{}, Now: noon, Needed: func(ledger.CaseRow) int { return 3 }})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/cases/c0000", "/api/v1/cases/c0000"} {
		if w := send(h, "GET", path, ""); w.Code != 200 || !strings.Contains(w.Body.String(), "the newest of 1000") {
			t.Errorf("%s: %d\n%.900s", path, w.Code, w.Body)
		}
	}
}
