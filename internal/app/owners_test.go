package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/app"
)

// A team of the teams file owns before the annotation, and single rules before that.
func TestWhoOwnsShowsTheChain(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	s.Config.Owners.TeamsFile = filepath.Join(t.TempDir(), "teams.yaml")
	must(t, os.WriteFile(s.Config.Owners.TeamsFile, []byte(`teams:
  - {name: shop, emails: [shop@example.com], namespaces: [shop]}
  - {name: security, emails: [sec@example.com], namespaces: ["*"], rules: [PRIVILEGED]}
`), 0o600))
	in := run(t, s, seen)
	defer func() { must(t, in.stop()) }()
	_, text := ask(t, over(app.Socket(s.Config)), http.MethodGet, "http://localhost/api/v1/whoowns?namespace=shop", "")
	var who app.WhoOwns
	must(t, json.Unmarshal([]byte(text), &who))
	if who.From != "teams file, team shop" || !who.Platform || who.Rules["PRIVILEGED"].Key() != "sec@example.com" ||
		len(who.Chain) != 3 || !who.Chain[0].Taken || who.Chain[1].Taken || who.Chain[2].Counts {
		t.Errorf("%s", text)
	}
	if code, text := ask(t, over(app.Socket(s.Config)), http.MethodGet, "http://localhost/api/v1/whoowns?namespace=shop&kind=deployment&name=none", ""); code != http.StatusNotFound {
		t.Errorf("a workload that is not there: %d %s", code, text)
	}
	if code, text := ask(t, over(app.Socket(s.Config)), http.MethodGet, "http://localhost/api/v1/whoowns?namespace=shop&kind=deploymnet&name=web", ""); code != http.StatusBadRequest || !strings.Contains(text, "did you mean Deployment?") {
		t.Errorf("a kind that is none: %d %s", code, text)
	}
}

func TestCheckReadsTheTeamsFile(t *testing.T) {
	c := newCluster(t)
	s, _ := settings(t, c.URL)
	s.Config.Owners.TeamsFile = filepath.Join(t.TempDir(), "teams.yaml")
	must(t, os.WriteFile(s.Config.Owners.TeamsFile, []byte("teams:\n  - name: shop\n    email: [a@b.example]\n"), 0o600))
	err := app.Check(s.Config)
	if err == nil || !strings.Contains(err.Error(), "teams.yaml:3:5: teams[0].email: there is no such key; did you mean emails?") {
		t.Errorf("got %v", err)
	}
}
