package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
)

func plain(address string) bool {
	return strings.Count(address, "@") == 1 && !strings.ContainsAny(address, " ,<>")
}

const teams = `teams:
  - name: payments
    emails: [pay@demo.example]
    namespaces: [shop, bill]
  - name: security
    emails: [sec@demo.example]
    labels: ["tier=prod"]
    rules: [PRIVILEGED]
`

func TestTeamsFile(t *testing.T) {
	got, err := config.LoadTeamsBytes([]byte(teams), "teams.yaml", []string{"demo.example"}, knownRules(), plain)
	if err != nil || len(got) != 2 || got[0].Name != "payments" || got[1].Rules[0] != "PRIVILEGED" || got[1].Labels[0] != "tier=prod" {
		t.Fatalf("%+v, %v", got, err)
	}
	if got, err := config.LoadTeams(config.Config{}, nil, plain); got != nil || err != nil {
		t.Errorf("none is named, and %v, %v", got, err)
	}
	c := config.Config{Owners: config.Owners{TeamsFile: filepath.Join(t.TempDir(), "none.yaml")}}
	if _, err := config.LoadTeams(c, nil, plain); err == nil || !strings.Contains(err.Error(), "owners.teamsFile") {
		t.Errorf("a file that is not there: %v", err)
	}
	c.Owners.TeamsFile = filepath.Join(t.TempDir(), "teams.yaml")
	if err := os.WriteFile(c.Owners.TeamsFile, []byte(teams), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := config.LoadTeams(c, nil, plain); len(got) != 2 || err != nil {
		t.Errorf("%v, %v", got, err)
	}
}

// Every mistake names the file, the line, the key, and what to write instead.
func TestTeamsFileMistakes(t *testing.T) {
	for name, row := range map[string]struct{ from, to, says string }{
		"unknown key":       {"namespaces: [shop", "namespace: [shop", "teams.yaml:4:5: teams[0].namespace: there is no such key; did you mean namespaces?"},
		"no address":        {"pay@demo.example", "pay", "teams.yaml:3:14: teams[0].emails[0]: is not a plain address"},
		"display name":      {"pay@demo.example", `"Pay <pay@demo.example>"`, "teams.yaml:3:14: teams[0].emails[0]: is not a plain address"},
		"other domain":      {"pay@demo.example", "pay@evil.example", "teams.yaml:3:14: teams[0].emails[0]: is outside notify.email.domains"},
		"nobody":            {"[pay@demo.example]", "[]", "teams.yaml:3:13: teams[0].emails: is empty"},
		"nothing owned":     {`labels: ["tier=prod"]`, "labels: []", "teams.yaml:5:5: teams[1]: owns no namespace"},
		"no label":          {"tier=prod", "tier", "teams.yaml:7:14: teams[1].labels[0]: is not a label"},
		"a pattern":         {"bill]", "bill-*]", "teams.yaml:4:24: teams[0].namespaces[1]: is no name of a namespace"},
		"no such rule":      {"PRIVILEGED", "PRIVILEGE", "teams.yaml:8:13: teams[1].rules[0]: there is no such rule; did you mean PRIVILEGED?"},
		"name taken":        {"name: security", "name: payments", "teams.yaml:5:11: teams[1].name: is taken"},
		"no name":           {"name: security", `name: ""`, "teams.yaml:5:11: teams[1].name: is empty"},
		"not YAML":          {"teams:", "teams: [", "teams.yaml"},
		"a second document": {"teams:", "---\nteams: []\n---\nteams:", "a second document"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(teams, row.from, row.to, 1)
			_, err := config.LoadTeamsBytes([]byte(text), "teams.yaml", []string{"demo.example"}, knownRules(), plain)
			if err == nil || !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %v\nwant %s", err, row.says)
			}
		})
	}
}

func FuzzTeams(f *testing.F) {
	f.Add([]byte(teams))
	f.Add([]byte("teams: [{name: a, emails: [a@b], namespaces: ['*']}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := config.LoadTeamsBytes(data, "teams.yaml", nil, nil, plain)
		for _, team := range all {
			if err != nil || team.Name == "" || len(team.Emails) == 0 || len(team.Namespaces)+len(team.Labels) == 0 {
				t.Errorf("let through %+v, %v", team, err)
			}
		}
	})
}
