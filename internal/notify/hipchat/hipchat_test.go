package hipchat

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/internal/notify/post"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

const secret = "s3cr3t-hipchat-t0k3n"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type recorder struct{ *notifytest.Server }

func (recorder) Facts() notifytest.Facts {
	return notifytest.Facts{To: []string{"a@example.com"}, Place: "hipchat", Secret: secret, ID: post.ID}
}

func (r recorder) Received() (all []notifytest.Received) {
	for _, one := range r.Taken() {
		m, found := judged(one.Body, nil)
		if one.Method != "POST" || one.Path != "/v2/room/the%20room/notification" || one.Header.Get("Authorization") != "Bearer "+secret {
			found = fmt.Sprint("the request ", one.Method, one.Path, one.Header)
		}
		all = append(all, notifytest.Received{ID: one.Header.Get(post.HeaderNotice), To: []string{"hipchat"}, Text: m.Message, Escapes: found})
	}
	return all
}

// judged reads a notification, and says what a room would make of it that is not ours: a mention
// of another than these, a link that is not K8Guard's, an emoticon, a command, a tag.
func judged(body []byte, mentions []string) (m message, found string) {
	if err := json.Unmarshal(body, &m); err != nil {
		return m, err.Error()
	}
	head, rest, _ := strings.Cut(m.Message, "\n")
	if len(mentions) == 0 {
		head, rest = "", m.Message
	}
	for name := range strings.FieldsSeq(head) {
		if bare, at := strings.CutPrefix(name, "@"); !at || !slices.Contains(mentions, bare) {
			found = "a mention: " + name
		}
	}
	for line := range strings.SplitSeq(rest, "\n") {
		if u, ours := strings.CutPrefix(line, "Link: "); ours && u == wording.Link(u) {
			continue
		}
		if u, ours := strings.CutPrefix(line, "Report: "); ours && u == wording.Link(u) {
			continue
		}
		if regexp.MustCompile(`[@<>()&;\\`+"`"+`]|://|//|www\.|[^ -~]`).MatchString(line) || strings.HasPrefix(line, "/") {
			found = "not plain: " + line
		}
	}
	if m.Format != "text" || !slices.Contains([]string{"red", "yellow", "green"}, m.Color) || m.Message == "" || utf8.RuneCountInString(m.Message) > 10_000 {
		found = fmt.Sprintf("format %s, color %s, %d characters", m.Format, m.Color, utf8.RuneCountInString(m.Message))
	}
	return m, found
}

func conf(base string) config.HipChat {
	return config.HipChat{BaseURL: base, Room: "the room", Token: config.NewSecret(secret), TagOwners: true}
}

func channel(t testing.TB, base string) *Channel {
	t.Helper()
	c, err := New(conf(base), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestContract(t *testing.T) {
	notifytest.RunHTTP(t, func(t *testing.T) (notify.Channel, notifytest.Recorder, *notifytest.Server) {
		s := notifytest.NewServer(t, func(notifytest.Request) (int, string) { return 204, "" })
		return channel(t, s.URL()), recorder{s}, s
	})
}

// Mapped names and the Namespace's are tagged, as the first system did; only the first count.
func TestTags(t *testing.T) {
	s := notifytest.NewServer(t, func(notifytest.Request) (int, string) { return 204, "" })
	d := notifytest.Sample("n/1", []string{"a@example.com"})
	d.Mentions, d.Tags = []string{"ada", "here"}, []string{"bob", "ada", "all", "x y", "eve>"}
	out := channel(t, s.URL()+"/v2/").Send(t.Context(), d)
	m, found := judged(s.Taken()[0].Body, []string{"ada", "bob"})
	if found != "" || !strings.HasPrefix(m.Message, "@ada @bob\n") || out.State != notify.Confirmed || !slices.Equal(out.Accepted, []string{"hipchat", "ada"}) {
		t.Errorf("%s\n%s\n%+v", found, m.Message, out)
	}
}

// A notice of as many cases as one may have names each of them.
func TestEachCaseIsNamed(t *testing.T) {
	d := notifytest.Sample("n/1", []string{"a@example.com"})
	one := d.Items[0]
	one.Root.Name, one.NextStep = strings.Repeat("n", 253), strings.Repeat("s", 200)
	d.Items = nil
	for i := range notify.MaxItems {
		one.Case = fmt.Sprintf("c-aaaaaaaaaaaaaaaaaaaaaaaa%02d", i)
		d.Items = append(d.Items, one)
	}
	for i := range 40 {
		d.Summary = append(d.Summary, notify.Count{Rule: strings.Repeat("R", 80), Cases: i})
		d.Mentions = append(d.Mentions, fmt.Sprint(strings.Repeat("m", 40), i))
	}
	body, err := channel(t, "http://127.0.0.1:1").Preview(d)
	if err != nil {
		t.Fatal(err)
	}
	m, found := judged(body, mentions(d.Mentions))
	if found != "" {
		t.Error(found)
	}
	for _, it := range d.Items {
		if !strings.Contains(m.Message, it.Case) {
			t.Fatalf("%s is not named in %d characters", it.Case, len(m.Message))
		}
		if date := it.NextAt.UTC().Format("2006-01-02 15:04 UTC"); strings.Count(m.Message, date) != len(d.Items) {
			t.Fatalf("the date of the next step, %s, is not said of each case: %s", date, m.Message)
		}
	}
}

func TestColor(t *testing.T) {
	for want, purposes := range map[string][]string{"green": {"resolved"}, "yellow": {"resolved", "warning"}, "red": {"warning", "enforced"}} {
		var d notify.Digest
		for _, p := range purposes {
			d.Items = append(d.Items, notify.Item{Purpose: p})
		}
		if got := color(d); got != want {
			t.Errorf("%v: %s, want %s", purposes, got, want)
		}
	}
}

func TestATokenOfAnyKindIsNotShown(t *testing.T) {
	s := notifytest.NewServer(t, func(notifytest.Request) (int, string) { return 204, "" })
	rapid.Check(t, func(r *rapid.T) {
		mark := rapid.StringMatching(`[A-Za-z0-9]{16,40}`).Draw(r, "token")
		s.Behave(rapid.SampledFrom([]notifytest.Behaviour{notifytest.Works, notifytest.Rejects, notifytest.CutAfter, notifytest.Refuses}).Draw(r, "server"))
		one := conf(s.URL())
		one.Token = config.NewSecret(mark)
		c, err := New(one, time.Now)
		if err != nil {
			r.Fatal(err)
		}
		out := c.Send(t.Context(), notifytest.Sample("n/1", nil))
		if shown := fmt.Sprintf("%+v %#v %+v %+v", out, c, c, one); strings.Contains(shown, mark) {
			r.Errorf("%s shows in %s", mark, shown)
		}
	})
}

func FuzzMessage(f *testing.F) {
	hostile := notifytest.Hostile("x", nil)
	f.Add("id", hostile.Items[0].Message, "https://ok.example/\"><b>", "ada")
	f.Add("id", "@all @here (boom) /code http://evil.example www.evil.example //x", "javascript:x", "here.")
	f.Add("", "a\u2028@all\n@here", "http://a.example/@all", "all-hands")
	f.Add("0", "/", "", "ada")                                                                                  // Kind/namespace/name is five in a row
	f.Add("0", "\x18\x18\x18l @\x13\x13\x13\x13\x13\x13boom) /code http:/Qevil.exam\x8cle www.evil", "", "ada") // cut behind www
	f.Fuzz(func(t *testing.T, id, s, u, name string) {
		d := notifytest.HostileWith(id, s, u)
		d.Mentions, d.Tags = []string{name}, []string{s}
		for range 2 {
			body, err := channel(t, "http://127.0.0.1:1").Preview(d)
			if err != nil {
				t.Fatal(err)
			}
			if _, found := judged(body, tagged(d)); found != "" {
				t.Errorf("%q became %s", s, found)
			}
			d.Items = append(d.Items, d.Items[0])
		}
		for _, one := range tagged(d) {
			if !regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`).MatchString(one) || regexp.MustCompile(`(?i)^(all|here|aqui|everyone|channel)\b`).MatchString(one) {
				t.Errorf("tags %q", one)
			}
		}
	})
}
