package action

import (
	"fmt"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
)

// On the first start on an old cluster an owner gets one summary, which names the worst; only
// those are warned of. The others follow, some a day, and every step of those that were named
// comes in time.
func TestAnOldClusterGetsOneSummary(t *testing.T) {
	w := newWorld(t)
	for i := range 130 {
		w.sees(fmt.Sprintf("root-%03d", i), func(o *v1.Observation) {
			if i%5 == 0 { // 26 grave ones
				o.Verdicts[0].Severity = "critical"
			}
		})
	}
	w.pass(3 * time.Hour)
	if len(w.mail.sent) != 1 {
		t.Fatalf("%d mails in three hours, want one summary", len(w.mail.sent))
	}
	first := w.mail.sent[0].digest
	if len(first.Summary) != 1 || first.Summary[0] != (notify.Count{Rule: "IMAGE_REPO", Cases: 130}) || len(first.Items) != worst {
		t.Errorf("the summary counts %+v and names %d", first.Summary, len(first.Items))
	}
	named := map[string]bool{}
	for _, item := range first.Items {
		if named[item.Case] = true; item.Severity != "critical" {
			t.Errorf("names %+v before the worst", item)
		}
	}
	for i := range 130 {
		c := w.only(fmt.Sprintf("root-%03d", i))
		if confirmed, tries := c.Count(ada().Key()); (confirmed == 1) != named[c.ID] || tries != confirmed {
			t.Errorf("%s: %d confirmed in %d tries; named: %v", c.ID, confirmed, tries, named[c.ID])
		}
	}
	// Six hours after the first warning comes the second, of those that were named.
	w.pass(7 * time.Hour)
	if len(w.mail.sent) != 2 || len(w.mail.sent[1].digest.Items) != worst || w.mail.sent[1].digest.Items[0].N != 2 {
		t.Fatalf("%d mails; the second names %d", len(w.mail.sent), len(w.mail.sent[1].digest.Items))
	}
}

func TestTheRestIsToldByAndBy(t *testing.T) {
	w := newWorld(t, func(c *config.Config) { c.Notify.Gap = 5 * time.Minute })
	for i := range 130 {
		w.sees(fmt.Sprintf("root-%03d", i))
	}
	w.start() // also over a restart
	for i := range 130 {
		w.sees(fmt.Sprintf("root-%03d", i))
	}
	w.pass(9 * time.Hour)
	told, summaries := map[string]int{}, 0
	var firsts []time.Time
	for _, s := range w.mail.tries(docket.Warning) {
		if len(s.digest.Items) > notify.MaxItems {
			t.Errorf("a notice names %d cases", len(s.digest.Items))
		}
		if len(s.digest.Summary) > 0 {
			summaries++
		}
		fresh := false
		for _, item := range s.digest.Items {
			if item.Purpose == string(docket.Warning) && item.N == 1 {
				told[item.Case]++
				fresh = true
			}
		}
		if fresh {
			firsts = append(firsts, s.at)
		}
	}
	if len(told) != 130 || summaries != 1 {
		t.Errorf("%d of 130 cases were named, in %d summaries", len(told), summaries)
	}
	for id, n := range told {
		if n != 1 {
			t.Errorf("%s: first warning %d times", id, n)
		}
	}
	for i := 1; i < len(firsts); i++ {
		if pause := firsts[i].Sub(firsts[i-1]); pause < restGaps*w.conf.Notify.Gap {
			t.Errorf("more first warnings after %s", pause)
		}
	}
}

// What fits into one mail is told in one mail, without a summary.
func TestFiftyNewCasesNeedNoSummary(t *testing.T) {
	w := newWorld(t)
	for i := range notify.MaxItems {
		w.sees(fmt.Sprintf("root-%03d", i))
	}
	w.pass(30 * time.Minute)
	if len(w.mail.sent) != 1 || len(w.mail.sent[0].digest.Items) != notify.MaxItems || w.mail.sent[0].digest.Summary != nil {
		t.Errorf("%d mails", len(w.mail.sent))
	}
}
