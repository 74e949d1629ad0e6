package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/policy"
	"github.com/k8guard/k8guard/internal/report"
)

func TestCases(t *testing.T) {
	one := docket.Case{ID: "c-1", Rule: "IMAGE_REPO", Severity: "high", Source: "app\x1b[2J", Message: "not approved",
		Plan: docket.Plan{Step: "wait", Next: "notify", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Text: "warned 1 of 2"}}
	root := v1.Root{Kind: "Deployment", Namespace: "shop", Name: "cart"}
	asked := ""
	socket := running(t, func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		var answer any
		switch r.URL.Path {
		case "/api/v1/cases":
			answer = ledger.CasePage{Total: 7, Next: "abc", Rows: []ledger.CaseRow{{ID: "c-1", Root: root, Status: "open", Confirmed: 1, Case: one}}}
		case "/api/v1/cases/c-1":
			answer = report.CaseView{Case: one, Status: "open", Docket: docket.Docket{Root: root},
				History: []ledger.Line{{Entry: docket.Entry{Kind: "warned", Text: "told\n\x1b[2J a@example.com"}}}}
		default:
			w.WriteHeader(http.StatusNotFound)
			answer = map[string]string{"detail": "id: no such case"}
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	at := []string{"--set", "report.socket=" + socket}
	for args, want := range map[string]string{
		"cases -n shop --rule IMAGE_REPO": "c-1   open    high      IMAGE_REPO  Deployment/shop/cart  app\\x1b[2J       1  notify 2026-01-02T03:04:05Z",
		"cases":                           "1 of 7 cases\nmore: --cursor abc\n",
		"cases --all -o json":             `"confirmedWarnings":1`,
		"case c-1":                        `warned       told\n\x1b[2J a@example.com`,
		"case c-1 -o json":                `"status":"open"`,
	} {
		out, _, err := with(t, nil, append(strings.Fields(args), at...)...)
		if err != nil || !strings.Contains(out, want) || strings.Contains(out, "\x1b") {
			t.Errorf("%s: %v\n%s", args, err, out)
		}
	}
	for args, want := range map[string]string{
		"cases":                        "/api/v1/cases?limit=50&status=standing&status=open&status=needs-human&status=acted&status=undone&status=contested",
		"cases --all --limit 3":        "/api/v1/cases?limit=3&status=open&status=needs-human&status=acted&status=undone&status=contested&status=exempt&status=standing&status=resolved",
		"cases --status resolved -n a": "/api/v1/cases?limit=50&namespace=a&status=resolved",
	} {
		if _, _, err := with(t, nil, append(strings.Fields(args), at...)...); err != nil || asked != want {
			t.Errorf("%s: %v, asked %s", args, err, asked)
		}
	}
	for args, want := range map[string]string{
		"case c-2":        "no such case",
		"cases --limit 0": "write a number from 1 to 500",
		"cases -o yaml":   "use -o table or -o json",
	} {
		if _, _, err := with(t, nil, append(strings.Fields(args), at...)...); Code(err) != ExitFailure || !strings.Contains(Message(err), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// What holds a case is said in words, with the date on which it ends.
func TestNextStepSaysWhatHoldsACase(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for reason, want := range map[string]string{
		policy.CoolOff: "undone, cooling off until 2026-01-02T03:04:05Z",
		policy.Acked:   "paused until 2026-01-02T03:04:05Z",
		policy.Exempt:  "exempt until 2026-01-02T03:04:05Z",
		policy.Waiting: "none 2026-01-02T03:04:05Z",
	} {
		c := docket.Case{Plan: docket.Plan{Step: "none", Reason: reason, At: at}}
		if got := nextStep(c); got != want {
			t.Errorf("%s: %q, want %q", reason, got, want)
		}
	}
	refused := docket.Case{State: docket.Open, Plan: docket.Plan{Step: "wait", Reason: policy.Refused, Next: "scale-to-zero", At: at}}
	if got, want := nextStep(refused), "scale-to-zero, refused by the gate and asked again 2026-01-02T03:04:05Z"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	human := docket.Case{State: docket.Open, Plan: docket.Plan{Step: "wait", Reason: policy.HumanNeeded, Next: "scale-to-zero", At: at}}
	if got := nextStep(human); got != "a person decides" {
		t.Errorf("what waits for a person is to be acted on: %q", got)
	}
	dry := docket.Case{State: docket.Open, Plan: docket.Plan{Step: "none", Reason: policy.DryRun, Text: "dry run: nobody is told; otherwise scale-to-zero would be asked of the gate now"}}
	if got, want := nextStep(dry), "otherwise: scale-to-zero would be asked of the gate now"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	dry.Plan.Text += strings.Repeat(" ä", 100)
	if got := nextStep(dry); len([]rune(got)) != longestStep || !strings.HasSuffix(got, "…") {
		t.Errorf("%q", got)
	}
}

// Who saw a case is in the list, where anybody saw one.
func TestTheListSaysWhoSawACase(t *testing.T) {
	until := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	page := ledger.CasePage{Rows: []ledger.CaseRow{{ID: "c-1"}, {ID: "c-2", Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: "cart"}}}}
	if got := caseTable(page); strings.Contains(strings.ToLower(got), "seen") || !strings.Contains(got, "Deployment/shop/cart") {
		t.Errorf("nobody saw one:\n%s", got)
	}
	page.Rows[1].Case.Ack = &docket.Ack{By: "ada\x1b", Until: until}
	if got := caseTable(page); !strings.Contains(got, "acknowledged by ada") || !strings.Contains(got, "until 2026-01-02T03:04:05Z") || strings.Contains(got, "\x1b") {
		t.Errorf("ada saw one:\n%s", got)
	}
}

// A case tells what comes next, how to take back what was done, and its own history alone.
func TestCaseText(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	entry := func(id, text string) ledger.Line {
		return ledger.Line{Entry: docket.Entry{Case: id, Kind: "plan", Text: text}}
	}
	act := docket.Enforcement{Action: "scale-to-zero", State: docket.Done, DoneAt: at, Cases: []string{"c-1"}}
	view := report.CaseView{Case: docket.Case{ID: "c-1", Plan: docket.Plan{Step: "wait", Next: "warning 2 of 3", At: at}}, Status: "acted",
		Docket: docket.Docket{Enforcement: &act}, History: []ledger.Line{entry("c-1", "mine"), entry("c-2", "another's"), entry("", "the object's")}}
	text := caseText(view, "")
	for _, want := range []string{"next      warning 2 of 3 2026-01-02T03:04:05Z\n", "act       scale-to-zero, done, acted at 2026-01-02T03:04:05Z\n",
		"undo      k8guard undo c-1 --reason \"...\"\n", "mine", "the object's"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	if strings.Contains(text, "another's") {
		t.Errorf("another case's history:\n%s", text)
	}
	act.State, act.Undo = docket.Undid, &docket.Undo{By: "ada", Reason: "a drill"}
	if text = caseText(view, ""); strings.Contains(text, "k8guard undo") || !strings.Contains(text, "undo by ada: a drill") {
		t.Errorf("of what was undone:\n%s", text)
	}
	view.Case.State, view.Case.Plan = docket.Open, docket.Plan{Step: "wait", Reason: policy.HumanNeeded, Next: "scale-to-zero", At: at}
	view.Case.Ack = &docket.Ack{By: "ada", Reason: "looking into it"}
	for _, want := range []string{"next      a person decides\n", "do        mend", "tries again at 2026-01-02T03:04:05Z\n", "seen      acknowledged by ada: looking into it\n"} {
		if text = caseText(view, ""); !strings.Contains(text, want) {
			t.Errorf("no %q in:\n%s", want, text)
		}
	}
	view.Docket.Enforcement = nil
	if text = caseText(view, ""); strings.Contains(text, "undo") {
		t.Errorf("of what was never done:\n%s", text)
	}
}

// A slip of the pen is no clean cluster.
func TestCasesOfWhatIsNotThere(t *testing.T) {
	socket := running(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/api/v1/whoowns" && r.URL.Query().Get("namespace") != "shop":
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"detail": "no namespace"}`))
		case r.URL.Query().Get("rule") == "IMAGE_REPOO":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"detail": "rule: no rule is called that\u001b"}`))
		case r.URL.Path == "/api/v1/status":
			_, _ = w.Write([]byte(`{"cluster": "clean"}`))
		case r.URL.Query().Get("rule") == "GONE_RULE", r.URL.Query().Get("limit") == "1" && r.URL.Query().Get("owner") == "ada@x":
			_, _ = w.Write([]byte(`{"rows": [{"id": "c-1"}], "total": 1}`))
		default:
			_, _ = w.Write([]byte(`{"rows": [], "total": 0}`))
		}
	})
	for args, want := range map[string]string{
		"cases --rule IMAGE_REPOO":        `no rule is called that\x1b`,
		"cases --owner nobody@x":          `--owner: no case of "nobody@x" is on record`,
		"cases --owner ada@x":             "",
		"cases --cluster prod":            `no case of a cluster called "prod" is on record; this K8Guard's is "clean"`,
		"cases --cluster clean":           "",
		"cases -n shopp -o json":          `no namespace is called "shopp"`,
		"cases --rule GONE_RULE":          "",
		"cases --rule IMAGE_REPO -n shop": "",
		"undo --since 2d":                 "such as 48h, 90m or 1h30m",
		"rules explain IMAGE_REPOO":       "did you mean IMAGE_REPO?",
	} {
		_, _, err := with(t, nil, append(strings.Fields(args), "--set", "report.socket="+socket)...)
		if (Code(err) == ExitFailure) != (want != "") || !strings.Contains(Message(err), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	if out, _, err := with(t, nil, "cases", "--help"); err != nil || strings.Contains(out, "of this cursor") {
		t.Errorf("%v %s", err, out)
	}
}

// Whatever the longest name, the severities stand below each other.
func TestRulesAreAligned(t *testing.T) {
	out, _, err := with(t, nil, "rules", "list")
	column := 0
	for line := range strings.Lines(out) {
		id, _, _ := strings.Cut(line, " ")
		at := len(line) - len(strings.TrimLeft(line[len(id):], " "))
		if column == 0 {
			column = at
		}
		if at != column {
			t.Errorf("column %d, want %d: %s", at, column, line)
		}
	}
	if err != nil || column == 0 {
		t.Errorf("%v, %q", err, out)
	}
}
