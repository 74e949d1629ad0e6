package judge_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
)

func suspends(rv, spec string) audit.Event {
	return event("patch", "cronjobs", "", "cron", 200, fmt.Sprintf(`{"metadata":{"resourceVersion":%q,"uid":"u-cron"},"spec":%s}`, rv, spec))
}

// A suspension is a patch of one field of the object itself, and is held to its record like
// every other act.
func TestASuspensionIsAPatch(t *testing.T) {
	stop, start := suspends("11", `{"suspend":true}`), suspends("12", `{"suspend":false}`)
	for name, c := range map[string]struct {
		events []audit.Event
		says   string
	}{
		"there and back":    {[]audit.Event{stop, start}, ""},
		"twice":             {[]audit.Event{stop, start, stop}, "a second time"},
		"with the schedule": {[]audit.Event{suspends("11", `{"suspend":true,"schedule":"* * * * *"}`), start}, "a patch of more, or less"},
		"on another state":  {[]audit.Event{suspends("10", `{"suspend":true}`), start}, "recorded prior state has 11"},
		"never":             {[]audit.Event{start}, "has no such write (act: true)"},
		"never taken back":  {[]audit.Event{stop}, "has no such write (act: false)"},
	} {
		t.Run(name, func(t *testing.T) {
			w := honest(t)
			w.dump.Dockets = append(w.dump.Dockets, docketOf(t, "CronJob", "cron", "c-03", "suspend", `{"resourceVersion":"11","suspended":false}`, 3))
			w.events = append(w.events, c.events...)
			tally, err := judge.AuditBijection(w.events, w.dump, action)
			switch {
			case c.says == "" && (err != nil || tally.Acts != 3 || tally.Undos != 3):
				t.Errorf("%+v, %v", tally, err)
			case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
				t.Errorf("%v, want %q", err, c.says)
			}
		})
	}
}
