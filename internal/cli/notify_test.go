package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/report"
)

const hookKey = "a-key-of-32-bytes-for-the-tests!"

// hooked is a configuration with a webhook there, Slack, and an owner who is mapped.
func hooked(t *testing.T, url, socket string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "k8guard.yaml")
	text := "notify:\n  webhook: [{name: audit, url: \"" + url + "/t0ken\", key: " + hookKey + "}]\n" +
		"  slack: {channel: C0123ABCD, token: xoxb-t0ken, users: [{address: shop@example.com, id: U0123ABCD}]}\n" +
		"owners: {fallback: [platform@example.com]}\n"
	if socket != "" {
		text += "report: {socket: \"" + socket + "\"}\n"
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestNotifyTest(t *testing.T) {
	status, got := http.StatusOK, ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		got = string(body)
		w.WriteHeader(status)
	}))
	defer s.Close()
	file := hooked(t, s.URL, "")
	for name, row := range map[string]struct {
		args   string
		status int
		code   int
		says   string
	}{
		"taken":     {"notify test webhook/audit --to shop@example.com", 202, 0, "taken: taken by the webhook audit; for webhook/audit"},
		"not taken": {"notify test webhook/audit", 400, 1, "not taken: the server answered 400 Bad Request"},
		"unknown":   {"notify test webhook/audit", 502, 1, "unknown: the server answered 502 Bad Gateway"},
		"no such":   {"notify test teams", 200, 2, `no channel "teams" is configured; there is slack, webhook/audit`},
		"nothing":   {"notify test", 200, 2, "accepts 1 arg(s)"},
	} {
		status, got = row.status, ""
		out, _, err := with(t, nil, append(strings.Fields(row.args), "--config", file)...)
		text := out + Message(err)
		if Code(err) != row.code || !strings.Contains(text, row.says) || strings.Contains(text, "t0ken") || strings.Contains(text, hookKey) {
			t.Errorf("%s: %d, %q", name, Code(err), text)
		}
		if row.code < 2 && (!strings.Contains(got, "nothing is wrong, and nothing follows") || !strings.Contains(got, `"purpose":"test"`)) {
			t.Errorf("%s: sent %q", name, got)
		}
	}
}

func TestNotifyPreview(t *testing.T) {
	view := report.CaseView{Case: docket.Case{ID: "c-abcdefgh"}, Docket: docket.Docket{Cluster: "prod", Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: "cart<!channel>\x1b"},
		Owner: v1.Owner{Emails: []string{"shop@example.com"}, Platform: true, From: "Namespace shop"},
		Cases: []docket.Case{{ID: "c-abcdefgh", Rule: "IMAGE_REPO", Severity: "high", State: docket.Open, Message: "from elsewhere"}}}}
	socket := running(t, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(view) })
	file := hooked(t, "https://far.example", socket)
	for args, want := range map[string][]string{
		"notify preview slack c-abcdefgh":                 {"counts    yes", "mentions  U0123ABCD", "<@U0123ABCD>", "cart&lt;!channel&gt;"},
		"notify preview webhook/audit c-abcdefgh":         {"counts    no", "io.k8guard.notice.v1", `"rule": "IMAGE_REPO"`},
		"notify preview webhook/audit c-abcdefgh -o json": {`"counts":false`, `"body":{"specversion":"1.0"`},
		"notify preview email c-abcdefgh":                 {`no channel "email" is configured`},
		"notify preview slack c-abcdefgh -o yaml":         {"yaml"},
	} {
		out, _, err := with(t, nil, append(strings.Fields(args), "--config", file)...)
		text := out + Message(err)
		for _, part := range want {
			if !strings.Contains(strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(text), part) {
				t.Errorf("%s: no %q in\n%s", args, part, text)
			}
		}
		if strings.Contains(text, "t0ken") || strings.Contains(text, hookKey) || strings.Contains(text, "\x1b") {
			t.Errorf("%s: a secret or a control character in %q", args, text)
		}
	}
}
