package faults

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
)

// acts are the successful writes of action's account in our namespace, but Events.
func (h *house) acts() (done []string) {
	h.t.Helper()
	done, _ = h.writes()
	return done
}

// writes are the real ones in words.
func (h *house) writes() (done, refused []string) {
	h.t.Helper()
	words := func(all []audit.Event) (text []string) {
		for _, e := range all {
			text = append(text, e.Verb+" "+e.ObjectRef.Resource+" "+e.ObjectRef.Name)
		}
		return text
	}
	d, r := h.real()
	return words(d), words(r)
}

// real are the writes of action's account that were no dry runs, done and refused, once the
// log has all of them: a request of that account, made for it now, is there. A conflict is
// neither: the object changed before the write came, and it is judged again.
func (h *house) real() (done, refused []audit.Event) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), slow*20*time.Second)
	defer cancel()
	all, err := h.p.ear.writes(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, e := range all {
		o := e.ObjectRef
		if o.Namespace != h.ns && (h.ns != "storm-" || !strings.HasPrefix(o.Namespace, h.ns)) || o.Resource == "events" || e.Stage != "ResponseComplete" ||
			strings.Contains(e.RequestURI, "dryRun=All") || strings.Contains(string(e.RequestObject), `"dryRun":["All"]`) {
			continue
		}
		if o.Subresource != "" {
			e.ObjectRef.Resource += "/" + o.Subresource
		}
		switch code := e.ResponseStatus.Code; {
		case code == http.StatusConflict:
			continue
		case code >= 300:
			refused = append(refused, e)
		default:
			done = append(done, e)
		}
	}
	return done, refused
}

func (h *house) wantActs(want ...string) {
	h.t.Helper()
	if got := h.acts(); !slices.Equal(got, want) {
		h.t.Errorf("the audit log has %q, want %q", got, want)
	}
}

// acted waits for the first write, and wants it to be all.
func (h *house) acted(limit time.Duration, want string) {
	h.t.Helper()
	h.until(limit, want, func() bool { return len(h.acts()) > 0 })
	h.wantActs(want)
}

// log returns the newest line of the log that holds the texts; it waits for it.
func (h *house) log(limit time.Duration, texts ...string) string {
	h.t.Helper()
	line := ""
	h.until(limit, "the log says "+strings.Join(texts, " and "), func() bool {
		all, err := os.ReadFile(h.LogFile())
		if err != nil {
			h.t.Fatal(err)
		}
		for l := range strings.Lines(string(all)) {
			if !slices.ContainsFunc(texts, func(text string) bool { return !strings.Contains(l, text) }) {
				line = strings.TrimSpace(l)
			}
		}
		return line != ""
	})
	return line
}

// notices are those of the ledger, read from outside, that went to our owner.
func (h *house) notices() []judge.Notice {
	h.t.Helper()
	dump, err := judge.ReadLedger(h.t.Context(), h.LedgerFile())
	if err != nil {
		return nil
	}
	var all []judge.Notice
	for _, n := range dump.Notices {
		if slices.Contains(n.Owner.Emails, h.owner) {
			all = append(all, n)
		}
	}
	slices.SortFunc(all, func(a, b judge.Notice) int { return strings.Compare(a.Key, b.Key) })
	return all
}

// confirmed counts the notices that the ledger calls sent.
func (h *house) confirmed() (n int) {
	for _, x := range h.notices() {
		if x.State == "sent" {
			n++
		}
	}
	return n
}

// mails counts what the mail server has for our owner.
func (h *house) mails() (n int) {
	for _, m := range h.Mail.Messages() {
		if slices.ContainsFunc(m.Rcpts, func(to string) bool { return strings.Contains(to, h.owner) }) {
			n++
		}
	}
	return n
}

// replicas is what the API server has.
func (h *house) replicas(name string) int {
	h.t.Helper()
	var o struct{ Spec struct{ Replicas int } }
	if err := json.Unmarshal([]byte(h.kubectl("-n", h.ns, "get", "deployment", name, "-o", "json")), &o); err != nil {
		h.t.Fatal(err)
	}
	return o.Spec.Replicas
}

// golden holds what was said against testdata; what differs from run to run is masked.
func (h *house) golden(name string, said ...string) {
	h.t.Helper()
	text := strings.ReplaceAll(strings.Join(said, "\n")+"\n", h.dir, "DIR")
	for _, m := range []struct{ what, by string }{
		{`time=\S+ `, ""},
		{`127\.0\.0\.1:\d+`, "ADDRESS"},
		{`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?`, "TIME"},
		{`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`, "UID"},
		{`k8guard-action-[0-9a-z-]{20,}`, "MANAGER"},
		{`sequence \d+, the ledger is at \d+`, "sequence MORE, the ledger is at LESS"},
		{`\d+m\d+s apart`, "TEN MINUTES apart"},
		// How many were due in the round, and what else the plane holds, differs.
		{`\d+ acts in an hour`, "MANY acts in an hour"}, {`of \d+ roots`, "of ALL roots"}, {`budget\.floor of \d+`, "budget.floor of MANY"},
		{`resourceVersion=\d+&timeout=\w+&timeoutSeconds=\d+`, "resourceVersion=N"},
		{`(connect: dial tcp ADDRESS: connect|open the session: read tcp ADDRESS->ADDRESS: read): connection reset by peer`, "CONNECTION: connection reset by peer"},
		{`watch=true": .*`, `watch=true": CAUSE`},
		{`k8guard\.yaml:\d+:\d+`, "k8guard.yaml:LINE"},
		{`over budget: \d+ acts in an hour, \d allowed \(perHour 5, 1 % of \d+ roots`, "over budget: MANY acts in an hour, FEW allowed (perHour 5, 1 % of ALL roots"},
		{` times=\d+`, " times=N"},
		{`c-[0-9a-z]{26}`, "CASE"},
		{`e-[0-9a-z]{20,}`, "ENFORCEMENT"},
	} {
		text = regexp.MustCompile(m.what).ReplaceAllString(text, m.by)
	}
	file := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		h.t.Fatal(err)
	}
	if text != string(want) {
		h.t.Errorf("it says\n%s\nwant\n%s(go test ./test/faults -update writes it anew)", text, want)
	}
}
