package report_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/report"
)

// Several clusters are listed, those with trouble first, and what is old is said by name.
func TestTheFleet(t *testing.T) {
	d := &desk{stale: true}
	for i := range 60 {
		d.fleet = append(d.fleet, report.Cluster{Name: fmt.Sprintf("east-%02d", i), UID: fmt.Sprint("u", i), Judged: 4000 + i, Violating: 7, Looked: noon()})
	}
	d.fleet[58].Stale, d.fleet[58].Since = "cluster <b>east-58</b> is silent", noon().Add(-time.Hour)
	d.fleet[59].Breaker = report.Breaker{Open: true, Reason: "3 undos <script>within</script> an hour", At: noon()}
	server := build(t, sample(3), d)
	page := send(server, "GET", "/", "").Body.String()
	for _, want := range []string{"What is known of east-58 is old.", "&lt;b&gt;east-58&lt;/b&gt; is silent, since", "3 undos &lt;script&gt;within&lt;/script&gt; an hour", "/cases?cluster=east-59", "4059", "10 more are whole"} {
		if !strings.Contains(page, want) {
			t.Errorf("the overview does not say %q", want)
		}
	}
	trouble := strings.Index(page, "/cases?cluster=east-59") < strings.Index(page, "/cases?cluster=east-58") && strings.Index(page, "/cases?cluster=east-58") < strings.Index(page, "/cases?cluster=east-00")
	if !trouble || strings.Contains(page, "/cases?cluster=east-57") {
		t.Error("what is in trouble does not come first, or all are listed")
	}
	var status report.Status
	if err := json.Unmarshal(send(server, "GET", "/api/v1/status", "").Body.Bytes(), &status); err != nil || len(status.Clusters) != 60 {
		t.Errorf("%d clusters of 60, %v", len(status.Clusters), err)
	}
	d.fleet = d.fleet[:1]
	if page := send(build(t, sample(3), d), "GET", "/", "").Body.String(); strings.Contains(page, "<h2>Clusters</h2>") {
		t.Error("one cluster is listed as if there were others")
	}
}

// wasOpen is a desk whose breaker is closed again.
type wasOpen struct {
	desk
	by string
}

func (d *wasOpen) Status(ctx context.Context) (report.Status, error) {
	st, err := d.desk.Status(ctx)
	st.Breaker = report.Breaker{Reason: "a drill", At: noon(), ClosedBy: d.by}
	if d.by != "" {
		st.Breaker.ClosedAt = noon().Add(time.Hour)
	}
	return st, err
}

// A closed breaker does not look as if its last reason held still.
func TestAClosedBreakerSaysWhenItWasOpen(t *testing.T) {
	for by, want := range map[string]string{
		"":           "open last at 2026-05-04 12:00:00 UTC: a drill",
		"ada: ended": "2026-05-04 13:00:00 UTC by ada: ended; it was open from 2026-05-04 12:00:00 UTC: a drill",
	} {
		h, err := report.New(report.Settings{Ledger: sample(3), Control: &wasOpen{by: by}, Now: noon})
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range []string{"/", "/budget"} {
			if body := send(h, "GET", page, "").Body.String(); !strings.Contains(body, want) {
				t.Errorf("%s:\n%.3000s", page, body)
			}
		}
	}
}
