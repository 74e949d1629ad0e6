package report_test

import (
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/report"
)

// Who has just changed something asks how things stand now: what was kept is of before. With a
// login, nobody makes the status be read more often than that.
func TestAStatusIsAskedForAnew(t *testing.T) {
	for _, tc := range []struct {
		login   bool
		control string
		want    int
	}{{false, "no-cache", 3}, {false, "", 1}, {true, "no-cache", 1}} {
		d := &spender{}
		h := guarded(t, sample(3), d, people{})
		if !tc.login {
			var err error
			if h, err = report.New(report.Settings{Ledger: sample(3), Control: d, Now: noon}); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			if w := send(h, "GET", "/api/v1/status", "", "Authorization", "Bearer auditor", "Cache-Control", tc.control); w.Code != 200 {
				t.Fatal(w.Code, w.Body)
			}
		}
		if len(d.asked) != tc.want {
			t.Errorf("login %v, Cache-Control %q: the status was read %d times, want %d", tc.login, tc.control, len(d.asked), tc.want)
		}
	}
}

// The commands on a page find this K8Guard; who sees a part only learns no path of its host.
func TestThePagesCommandsFindThisK8Guard(t *testing.T) {
	h, err := report.New(report.Settings{Ledger: sample(3), Control: &desk{}, Now: noon, Flags: "--config /etc/<k8guard>.yaml", Ack: (&desk{}).ack})
	if err != nil {
		t.Fatal(err)
	}
	body := send(h, "GET", "/cases/c0001", "").Body.String()
	for _, want := range []string{"k8guard undo c0001 --config /etc/&lt;k8guard&gt;.yaml --reason", "k8guard ack c0001 --config /etc/&lt;k8guard&gt;.yaml --reason"} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in\n%.6000s", want, body)
		}
	}
	guard, err := login.New(login.Settings{Reviewer: people{}, Book: login.NewBook(noon)})
	if err != nil {
		t.Fatal(err)
	}
	h, err = report.New(report.Settings{Ledger: sample(3), Control: &desk{}, Now: noon, Flags: "--config /etc/k8guard.yaml", Ack: (&desk{}).ack, Guard: guard, Cluster: "k"})
	if err != nil {
		t.Fatal(err)
	}
	for who, named := range map[string]bool{"writer": false, "operator": true} {
		if w := send(h, "GET", "/cases/c0000", "", "Authorization", "Bearer "+who); w.Code != 200 || strings.Contains(w.Body.String(), "/etc/") != named {
			t.Errorf("%s: %d, the path is named: %v\n%.6000s", who, w.Code, !named, w.Body)
		}
	}
}

// A second freeze of a scope is said to be one, and what was meant by a scope that is none.
func TestASecondFreezeIsSaidToBeOne(t *testing.T) {
	for scope, want := range map[string]string{
		"rule/INGRESS_HOST": "rule/INGRESS_HOST frozen already, since 2026-05-04T10:00:00Z by ana: migration of hosts; that stays, and your reason is in the log of switches",
		"global":            `"global frozen"`,
		"Global":            "did you mean global?",
		"IMAGE_REPO":        "did you mean rule/IMAGE_REPO?",
		"image_repo":        "did you mean rule/IMAGE_REPO?",
		"something-else":    "write global, cluster/NAME or rule/ID\"",
	} {
		w := send(build(t, sample(1), &desk{}), "POST", "/api/v1/freeze", `{"scope":"`+scope+`","by":"bo","reason":"x"}`, "Content-Type", "application/json")
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %q", scope, w.Code, w.Body, want)
		}
	}
	w := send(build(t, sample(1), &desk{}), "POST", "/api/v1/unfreeze", `{"scope":"rule/INGRESS_HOST","by":"bo","reason":"x"}`, "Content-Type", "application/json")
	if strings.Contains(w.Body.String(), "already") {
		t.Errorf("unfrozen: %s", w.Body)
	}
}
