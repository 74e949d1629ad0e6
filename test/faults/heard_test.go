package faults

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/post"
	"github.com/k8guard/k8guard/test/judge"
)

// dump is the ledger, read from outside.
func (h *house) dump() judge.Dump {
	h.t.Helper()
	d, err := judge.ReadLedger(h.t.Context(), h.LedgerFile())
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

// on are the notices of a channel to our owner.
func (h *house) on(channel string) []judge.Notice {
	return slices.DeleteFunc(h.notices(), func(n judge.Notice) bool { return !strings.HasPrefix(n.Key, "notice/"+channel+"/") })
}

// paused reports whether the ledger knows of a try on the channel that is to be made again.
func (h *house) paused(channel string) bool {
	return slices.ContainsFunc(h.on(channel), func(n judge.Notice) bool { return n.State == "due" && !n.LastTry.IsZero() })
}

// told reports whether each channel has tried to tell it, and nothing is under way any more.
func (h *house) told(purpose string, channels ...string) bool {
	for _, c := range channels {
		found := false
		for _, n := range h.on(c) {
			if n.State == "due" || n.State == "sending" {
				return false
			}
			for _, i := range n.Digest.Items {
				found = found || i.Purpose == purpose
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// pauseKept waits until what was refused first comes again, and wants it, and all else that the
// server hears, to be after the pause.
func (h *house) pauseKept(v *voice) {
	h.t.Helper()
	all := v.heard()
	first := all[slices.IndexFunc(all, func(m heard) bool { return m.fate == refused })]
	h.until(pause+20*time.Second, "what was refused comes again", func() bool {
		return slices.ContainsFunc(v.heard(), func(m heard) bool { return m.notice == first.notice && m.at.After(first.at) })
	})
	for _, m := range v.heard() {
		if waited := m.at.Sub(first.at); waited > 0 && waited < pause {
			h.t.Errorf("a message came after %s, and a pause of %s was asked for", waited, pause)
		}
	}
}

// once holds what a server heard against the ledger: no case of a notice twice, no numbered step
// twice but after one of unknown fate, and that is on record as unknown. So may be what was
// answered just before a kill.
func (h *house) once(channel string, v *voice, killed time.Time) {
	h.t.Helper()
	dump, results := h.dump(), map[string]string{}
	for _, d := range dump.Dockets {
		for _, c := range d.Cases {
			for _, n := range c.Notices {
				results[nameOf(dump.Notices[n.Key])+" "+c.ID] = n.Result
			}
		}
	}
	numbered, told, sure := regexp.MustCompile(`\d`), map[string]int{}, map[string]int{}
	for _, m := range v.heard() {
		if m.fate == held || len(m.cases) == 0 || !strings.HasPrefix(m.notice, "notice-") {
			h.t.Errorf("%s: a message that is not understood, or not over: %+v", channel, m)
		}
		if m.fate == refused {
			continue
		}
		for _, c := range m.cases {
			told[m.notice+" "+c]++
			got := results[m.notice+" "+c]
			if got == "sent" && numbered.MatchString(m.step) {
				sure[c+" "+m.step]++
			}
			late := got == "unknown" && m.until.Before(killed) && killed.Sub(m.until) < slow*pause
			if m.fate == perhaps && got != "unknown" || m.fate == taken && got != "sent" && !late {
				h.t.Errorf("%s: %s of %s is %s there, the ledger says %q", channel, c, m.notice, m.fate, got)
			}
		}
	}
	for what, n := range told {
		if n > 1 {
			h.t.Errorf("%s heard %d times of %s", channel, n, what)
		}
	}
	for what, n := range sure {
		if n > 1 {
			h.t.Errorf("%s took %d times %s", channel, n, what)
		}
	}
	h.t.Logf("%s: %d messages, %d of a case, %d steps surely", channel, len(v.heard()), len(told), len(sure))
}

// nameOf is how a server knows a notice.
func nameOf(n judge.Notice) string {
	return post.ID(notify.Digest{ID: n.Key, Cluster: n.Digest.Cluster, At: n.Digest.At})
}

// warned wants, before the act, as many warnings of each case that was acted on as the policy asks for: taken,
// mentioning the owner, and on record for who is in the channel only.
func (h *house) warned(v *voice) {
	h.t.Helper()
	done, _ := h.real()
	dump, n := h.dump(), 0
	for _, d := range dump.Dockets {
		if d.Enforcement == nil {
			continue
		}
		for _, id := range d.Enforcement.Cases {
			count := 0
			for _, m := range v.heard() {
				if m.fate == taken && m.mention && slices.Contains(m.cases, id) && strings.HasPrefix(m.step, "Warning ") && m.until.Before(done[0].Received) {
					count++
				}
			}
			if n++; count < warnings {
				h.t.Errorf("%s was acted on after %d warnings that Slack took, want %d", id, count, warnings)
			}
		}
	}
	if n == 0 {
		h.t.Error("no case was acted on, says the ledger")
	}
	for _, one := range h.on("slack") {
		if slices.Contains(one.Accepted, awayID) || one.State == "sent" && !slices.Contains(one.Accepted, slackID) {
			h.t.Errorf("%s counts for %v", one.Key, one.Accepted)
		}
	}
}

func (h *house) mailedOnce() {
	h.t.Helper()
	seen := map[string]bool{}
	for _, m := range h.Mail.Messages() {
		key := m.Get("X-K8Guard-Notice")
		if seen[key] {
			h.t.Error(fmt.Sprint("mailed twice: ", key))
		}
		seen[key] = true
	}
}
