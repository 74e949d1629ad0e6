package cli

import (
	"encoding/json"
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

// shelf is a running K8Guard with some cases, which keeps what was asked about one of them.
type shelf struct {
	mu    sync.Mutex
	ids   []string
	asked []string
	until time.Time // granted to every acknowledgement
}

func (h *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case r.URL.Path == "/api/v1/status":
		_ = json.NewEncoder(w).Encode(report.Status{})
		return
	case r.URL.Path != "/api/v1/cases":
		h.asked = append(h.asked, r.Method+" "+r.URL.Path)
		_ = json.NewEncoder(w).Encode(report.Answer{Result: "done", Until: h.until})
		return
	}
	var page ledger.CasePage
	for _, id := range h.ids {
		if strings.HasPrefix(id, r.URL.Query().Get("id")) {
			page.Rows = append(page.Rows, ledger.CaseRow{ID: id, Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: "cart"}, Case: docket.Case{Rule: "IMAGE_REPO"}})
		}
	}
	page.Total = len(page.Rows)
	_ = json.NewEncoder(w).Encode(page)
}

// The beginning of an id will do where it fits one case alone.
func TestAShortIDIsEnough(t *testing.T) {
	const one, two = "c-aaaabbbbccccddddeeeeffffgg", "c-aaaacccccccccccccccccccccc"
	h := &shelf{ids: []string{one, two}}
	at := []string{"--set", "report.socket=" + running(t, h.ServeHTTP)}
	for command, path := range map[string]string{"case": "GET /api/v1/cases/%", "undo --reason x": "POST /api/v1/cases/%/undo", "ack --reason x": "POST /api/v1/cases/%/ack"} {
		for id, want := range map[string]string{one: one, "c-aaaab": one, "c-aaaac": two, "c-none-such": "c-none-such", "c-aaa": "c-aaa"} {
			h.asked = nil
			_, _, err := with(t, nil, append(append(strings.Fields(command), id), at...)...)
			if err != nil || len(h.asked) != 1 || h.asked[0] != strings.Replace(path, "%", want, 1) {
				t.Errorf("%s %s: %v, asked %q", command, id, err, h.asked)
			}
		}
		h.asked = nil
		_, _, err := with(t, nil, append(append(strings.Fields(command), "c-aaaa"), at...)...)
		if Code(err) != ExitFailure || !strings.Contains(Message(err), one+" (Deployment/shop/cart, IMAGE_REPO)") || !strings.Contains(Message(err), two) || len(h.asked) > 0 {
			t.Errorf("%s of two: %v, asked %q", command, err, h.asked)
		}
	}
}

// A pause that is not granted is no success.
func TestAckOfARefusedPauseFails(t *testing.T) {
	for _, test := range []struct {
		hold    string
		granted bool
		code    int
	}{{"0s", false, 0}, {"48h", true, 0}, {"48h", false, ExitFailure}} {
		h := &shelf{}
		if test.granted {
			h.until = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		}
		out, _, err := with(t, nil, "ack", "c-1", "--reason", "x", "--for", test.hold, "--set", "report.socket="+running(t, h.ServeHTTP))
		if Code(err) != test.code || !strings.Contains(out, "done") || test.code != 0 && !strings.Contains(Message(err), "the pause of 48h0m0s was refused") {
			t.Errorf("%+v: %q, %v", test, out, err)
		}
	}
}
