package app

import (
	"errors"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/report"
)

// The first line gives the sum: what one switch holds is not called on.
func TestTheSumOfTheSwitches(t *testing.T) {
	const on = "on, for the policies that say enforce: true"
	for name, row := range map[string]struct {
		change func(*report.Status)
		permit string
		want   string
	}{
		"nothing holds":              {func(*report.Status) {}, "", on},
		"no permit":                  {func(*report.Status) {}, "the permit is absent", "held, nothing is acted on: the permit is absent"},
		"frozen":                     {func(s *report.Status) { s.Freezes = []report.Freeze{{Scope: "global"}} }, "", "held, nothing is acted on: it is frozen"},
		"this cluster is frozen":     {func(s *report.Status) { s.Freezes = []report.Freeze{{Scope: "cluster/prod"}} }, "", "held, nothing is acted on: it is frozen"},
		"a rule is frozen":           {func(s *report.Status) { s.Freezes = []report.Freeze{{Scope: "rule/IMAGE_REPO"}} }, "", on},
		"the breaker, and no permit": {func(s *report.Status) { s.Breaker.Open = true }, "the permit is absent", "held, nothing is acted on: the permit is absent; the breaker is open"},
		"the breaker of another":     {func(s *report.Status) { s.Breaker.Open, s.Clusters = true, []report.Cluster{{Name: "prod"}} }, "", on},
		"the cluster is silent":      {func(s *report.Status) { s.Stale = true }, "", "held, nothing is acted on: the cluster is not heard"},
		"its own breaker, of several": {func(s *report.Status) {
			s.Clusters = []report.Cluster{{Name: "prod", Breaker: report.Breaker{Open: true}}}
		}, "", "held, nothing is acted on: the breaker is open"},
	} {
		s := report.Status{Cluster: "prod"}
		row.change(&s)
		if got := sum(s, row.permit); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
	}
}

// To delete the permit is a way to stop: it is no trouble of reading.
func TestThePermitInWords(t *testing.T) {
	for name, row := range map[string]struct {
		permit     enforce.Switch
		text, held string
	}{
		"absent":  {enforce.Switch{Err: apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "k8guard-permit")}, "absent: nothing is acted on", "the permit is absent"},
		"unread":  {enforce.Switch{Err: errors.New("forbidden")}, "unreadable, which counts as frozen: forbidden", "the permit cannot be read"},
		"refused": {enforce.Switch{Text: "says no"}, "says no", "the permit does not say enabled"},
		"given":   {enforce.Switch{On: true, Text: "enabled"}, "enabled", ""},
	} {
		if text, held := permitText(row.permit); text != row.text || held != row.held {
			t.Errorf("%s: %q, %q", name, text, held)
		}
	}
}

// What was to be done about an open breaker is no longer due when it is closed.
func TestAClosedBreakerAsksForNothing(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	b := control.Breaker{Reason: `two undos; the ledger fell back; what to do: look at the open cases, then: k8guard breaker close --accept-ledger --reason "..."`,
		At: at, ClosedBy: "ada: restored", ClosedAt: at.Add(time.Hour)}
	want := report.Breaker{Reason: "two undos; the ledger fell back", At: b.At, ClosedBy: b.ClosedBy, ClosedAt: b.ClosedAt}
	if got := breaker(b); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	b.Open = true
	if got := breaker(b); got.Reason != b.Reason {
		t.Errorf("an open one lost its way out: %+v", got)
	}
}
