package report_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/report"
)

// bare is a K8Guard that has just begun: nothing is frozen, nothing was spent.
type bare struct{ *desk }

func (bare) Status(context.Context) (report.Status, error) {
	return report.Status{Mode: "safe", Cluster: "production"}, nil
}

// A list that is empty is [], wherever the API answers with one, and for every reader.
func TestEmptyListsAreNoNull(t *testing.T) {
	open, err := report.New(report.Settings{Ledger: sample(0), Control: bare{&desk{}}, Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		h     http.Handler
		paths []string
		token string
	}{
		"an empty ledger":       {open, lists(), ""},
		"a reader of nothing":   {guarded(t, marked(3), bare{&desk{}}, people{}), lists(), "writer"},
		"one case":              {buildOn(t, sample(2), &desk{}), []string{"/api/v1/cases/c0000", "/api/v1/cases/c0001"}, ""},
		"a switch never pulled": {guarded(t, sample(0), bare{&desk{}}, people{}), lists(), "operator"},
	} {
		asked := 0
		for _, path := range test.paths {
			if !strings.HasPrefix(path, "/api/") || strings.HasSuffix(path, "openapi.json") {
				continue
			}
			asked++
			w := send(test.h, "GET", path, "", "Authorization", "Bearer "+test.token)
			var value any
			if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil || w.Code != http.StatusOK {
				t.Errorf("%s, %s: %d, %v", name, path, w.Code, err)
			}
			if at := null(value, ""); at != "" {
				t.Errorf("%s, %s: %s is null in %.300s", name, path, at, w.Body)
			}
		}
		if asked == 0 {
			t.Errorf("%s: nothing was asked", name)
		}
	}
}

// null is the place of the first null.
func null(value any, at string) string {
	switch v := value.(type) {
	case nil:
		return at + "."
	case map[string]any:
		for name, below := range v {
			if found := null(below, at+"."+name); found != "" {
				return found
			}
		}
	case []any:
		for _, below := range v {
			if found := null(below, at+"[]"); found != "" {
				return found
			}
		}
	}
	return ""
}
