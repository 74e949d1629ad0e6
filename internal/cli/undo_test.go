package cli

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/report"
)

// one is a running K8Guard with one act, on c-acted; c-other is another case of that object.
func one(t *testing.T, posted *[]string) (socket string) {
	three := int32(3)
	act := docket.Enforcement{Action: docket.ScaleToZero, State: docket.Done, Cases: []string{"c-acted"}, Prior: docket.Prior{Replicas: &three}}
	return running(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			*posted = append(*posted, r.URL.Path)
			_, _ = w.Write([]byte(`{"result": "done"}`))
		case r.URL.Path == "/api/v1/status":
			_, _ = w.Write([]byte(`{}`))
		case r.URL.Path == "/api/v1/whoowns":
			w.WriteHeader(http.StatusNotFound)
			_, _ = w.Write([]byte(`{"detail": "no namespace"}`))
		case r.URL.Path == "/api/v1/acts":
			_, _ = w.Write([]byte(`{"rows": []}`))
		default:
			_ = json.NewEncoder(w).Encode(report.CaseView{Case: docket.Case{ID: "c-acted"},
				Docket: docket.Docket{Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: "cart\x1b"}, Enforcement: &act}})
		}
	})
}

// A trial of an undo does nothing, whichever way it is asked for.
func TestADryRunUndoesNothing(t *testing.T) {
	var posted []string
	at := []string{"--set", "report.socket=" + one(t, &posted)}
	for args, want := range map[string]string{
		"undo c-acted --dry-run":         "would take back scale-to-zero of Deployment/shop/cart\\x1b (before it: 3 replicas), if what is there is still K8Guard's; nothing was done\n",
		"undo c-acted --dry-run -o json": `"action":"scale-to-zero"`,
		"undo --since 1h --dry-run":      "is in force",
	} {
		out, _, err := with(t, nil, append(strings.Fields(args), at...)...)
		if err != nil || !strings.Contains(out, want) {
			t.Errorf("%s: %q, %v", args, out, err)
		}
	}
	if _, _, err := with(t, nil, append(strings.Fields("undo c-other --dry-run"), at...)...); Code(err) != ExitFailure || !strings.Contains(Message(err), "k8guard undo c-acted") {
		t.Errorf("of another case: %v", err)
	}
	if len(posted) != 0 {
		t.Errorf("undone: %q", posted)
	}
}

// What can be read in two ways is refused before anything is asked.
func TestUndoIsMeant(t *testing.T) {
	var posted []string
	at := []string{"--reason", "x", "--set", "report.socket=" + one(t, &posted)}
	for args, want := range map[string]string{
		"undo":                           "name a case, or a time with --since",
		"undo c-acted --since 1h":        "write one of them",
		"undo --since 0s":                "--since 0s: write a time of more than zero",
		"undo --since -1h":               "--since -1h0m0s: write a time of more than zero",
		"undo -n wrongns c-acted":        "--namespace counts with --since only",
		"undo c-acted --every 5s":        "--every counts with --since only",
		"undo --since 1h --every -1s":    "--every -1s: write a pause",
		"undo --since 1h -n typo":        `no namespace is called "typo"`,
		"undo --since 1h -n t --dry-run": `no namespace is called "t"`,
	} {
		_, _, err := with(t, nil, append(strings.Fields(args), at...)...)
		if Code(err) != ExitFailure || !strings.Contains(Message(err), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
	if len(posted) != 0 {
		t.Errorf("undone: %q", posted)
	}
}
