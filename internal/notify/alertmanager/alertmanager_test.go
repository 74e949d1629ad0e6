package alertmanager

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/internal/notify/post"
)

const secret = "s3cr3t-bearer-t0k3n"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type recorder struct{ *notifytest.Server }

func (recorder) Facts() notifytest.Facts {
	return notifytest.Facts{To: []string{"a@example.com"}, Place: "alertmanager", Secret: secret, ID: post.ID}
}

func (r recorder) Received() (all []notifytest.Received) {
	for _, one := range r.Taken() {
		alerts, found := judged(one.Body)
		got := notifytest.Received{ID: one.Header.Get(post.HeaderNotice), To: []string{"alertmanager"}, Escapes: found}
		for _, a := range alerts {
			for _, words := range []map[string]string{a.Labels, a.Annotations} {
				for _, key := range slices.Sorted(maps.Keys(words)) {
					got.Text += key + ": " + words[key] + "\n"
				}
			}
		}
		if one.Path != "/api/v2/alerts" || one.Header.Get("Authorization") != "Bearer "+secret || one.Header.Get("Content-Type") != "application/json" {
			got.Escapes = fmt.Sprint(one.Path, one.Header)
		}
		all = append(all, got)
	}
	return all
}

// judged reads alerts strictly, by what Alertmanager's API says of them.
func judged(body []byte) (alerts []alert, found string) {
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&alerts); err != nil {
		return nil, err.Error()
	}
	for _, a := range alerts {
		for _, words := range []map[string]string{a.Labels, a.Annotations} {
			for key, value := range words {
				if !slices.Contains(names(), key) || value == "" || !utf8.ValidString(value) ||
					strings.ContainsFunc(value, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }) {
					found = fmt.Sprintf("%s=%q", key, value)
				}
			}
		}
		if a.Labels["alertname"] != AlertName || a.StartsAt.IsZero() || a.EndsAt.Before(a.StartsAt) {
			found = fmt.Sprintf("%+v", a)
		}
		if u, err := url.Parse(a.GeneratorURL); err != nil || a.GeneratorURL != "" && u.Scheme != "http" && u.Scheme != "https" {
			found = "generatorURL " + a.GeneratorURL
		}
	}
	return alerts, found
}

// names are those that an alert of ours has.
func names() []string {
	return []string{"alertname", "case", "rule", "severity", "cluster", "kind", "namespace", "name", "summary", "purpose", "description", "source", "field",
		"found", "why", "fix", "warning", "next", "asks", "lost", "done", "undone", "undo", "again", "owner"}
}

func channel(t testing.TB, base string) *Channel {
	t.Helper()
	c, err := New(config.Alertmanager{URL: base + "/", Token: config.NewSecret(secret)}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestContract(t *testing.T) {
	notifytest.RunHTTP(t, func(t *testing.T) (notify.Channel, notifytest.Recorder, *notifytest.Server) {
		s := notifytest.NewServer(t, func(notifytest.Request) (int, string) { return 200, "" })
		return channel(t, s.URL()), recorder{s}, s
	})
}

// alertsOf are the alerts of one case for a purpose.
func alertsOf(t *testing.T, purpose string, change func(*notify.Digest)) alert {
	t.Helper()
	d := notifytest.Sample("n/1", []string{"a@example.com"})
	d.Items[0].Purpose = purpose
	if change != nil {
		change(&d)
	}
	body, err := channel(t, "http://127.0.0.1:1").Preview(d)
	if err != nil {
		t.Fatal(err)
	}
	alerts, found := judged(body)
	if len(alerts) != 1 || found != "" {
		t.Fatalf("%d alerts, %s", len(alerts), found)
	}
	return alerts[0]
}

// Over its life a case has one set of labels; what is resolved ends the alert at once, and what is
// not outlives the next step.
func TestOneCaseIsOneAlert(t *testing.T) {
	first := alertsOf(t, "warning", nil)
	if first.EndsAt.Sub(first.StartsAt) != 24*time.Hour+lasts {
		t.Errorf("it lasts %s", first.EndsAt.Sub(first.StartsAt))
	}
	for _, purpose := range []string{"warning", "needs-human", "enforced", "undone", "resolved"} {
		later := alertsOf(t, purpose, func(d *notify.Digest) {
			d.At, d.Number, d.ID = d.At.Add(48*time.Hour), 9, "n/9"
			d.Owner.Emails = []string{"other@example.com"}
			it := &d.Items[0]
			it.N, it.Message, it.Evidence, it.Title, it.NextAt = 3, "another message", "another image", "another title", time.Time{}
		})
		if !maps.Equal(later.Labels, first.Labels) {
			t.Errorf("%s: %v, want %v", purpose, later.Labels, first.Labels)
		}
		if ends := later.EndsAt.Equal(later.StartsAt); ends != (purpose == "resolved") {
			t.Errorf("%s: from %s to %s", purpose, later.StartsAt, later.EndsAt)
		}
	}
}

func TestATokenOfAnyKindIsNotShown(t *testing.T) {
	s := notifytest.NewServer(t, func(notifytest.Request) (int, string) { return 200, "" })
	rapid.Check(t, func(r *rapid.T) {
		mark := rapid.StringMatching(`[A-Za-z0-9]{16,40}`).Draw(r, "token")
		s.Behave(rapid.SampledFrom([]notifytest.Behaviour{notifytest.Works, notifytest.Rejects, notifytest.CutAfter, notifytest.Refuses}).Draw(r, "server"))
		conf := config.Alertmanager{URL: s.URL(), Token: config.NewSecret(mark)}
		c, err := New(conf, time.Now)
		if err != nil {
			r.Fatal(err)
		}
		out := c.Send(t.Context(), notifytest.Sample("n/1", nil))
		if shown := fmt.Sprintf("%+v %#v %+v %+v", out, c, c, conf); strings.Contains(shown, mark) {
			r.Errorf("%s shows in %s", mark, shown)
		}
	})
}

func FuzzAlert(f *testing.F) {
	hostile := notifytest.Hostile("x", nil)
	f.Add("id", hostile.Items[0].Message, "https://ok.example/\"><b>")
	f.Add("id\r\nX: y", `",alertname="Watchdog`, "javascript:x")
	f.Add("", "\xff\xfe\u2028", "http://a@b/")
	f.Fuzz(func(t *testing.T, id, s, u string) {
		body, err := channel(t, "http://127.0.0.1:1").Preview(notifytest.HostileWith(id, s, u))
		if err != nil {
			t.Fatal(err)
		}
		if alerts, found := judged(body); found != "" || len(alerts) != 1 {
			t.Errorf("%q became %s, in %d alerts", s, found, len(alerts))
		}
	})
}
