package report_test

import (
	"testing"

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
