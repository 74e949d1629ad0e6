package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/slack-go/slack"
	"go.uber.org/goleak"
	"golang.org/x/time/rate"
	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/internal/notify/post"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

const secret = "xoxb-s3cr3t-t0k3n"

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// kept is a ledger of threads that lasts as long as the test.
type kept struct {
	mu    sync.Mutex
	books map[string]Book
	down  bool
}

func (k *kept) Read(_ context.Context, owner string) (Book, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	var b Book
	for id, t := range k.books[owner].Threads {
		b.Set(id, t)
	}
	return b, nil
}

func (k *kept) Note(_ context.Context, owner, caseID string, t Thread) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.down {
		return errors.New("the ledger is away")
	}
	b := k.books[owner]
	b.Set(caseID, t)
	k.books[owner] = b
	return nil
}

func (k *kept) thread(caseID string) Thread { return k.books["a@example.com"].Threads[caseID] }

func newKept() *kept { return &kept{books: map[string]Book{}} }

type recorder struct{ *notifytest.Server }

func (recorder) Facts() notifytest.Facts {
	return notifytest.Facts{To: []string{"a@example.com"}, Place: "slack", Secret: secret, ID: post.ID}
}

func (r recorder) Received() (all []notifytest.Received) {
	for _, m := range messages(r.Server) {
		all = append(all, notifytest.Received{ID: m.notice, To: []string{"slack"}, Text: m.text, Escapes: m.escapes})
	}
	return all
}

// message is a request as Slack would read it.
type message struct {
	method, channel, ts, thread, text, fallback, notice, escapes string
	mentions                                                     []string
}

func messages(s *notifytest.Server) (all []message) {
	for _, r := range s.Taken() {
		if !strings.HasPrefix(r.Path, "/api/chat.") {
			continue // a question
		}
		form, err := url.ParseQuery(string(r.Body))
		m := message{method: strings.TrimPrefix(r.Path, "/api/"), channel: form.Get("channel"), ts: form.Get("ts"), thread: form.Get("thread_ts"), fallback: form.Get("text")}
		var metadata slack.SlackMetadata
		if err == nil {
			err = json.Unmarshal([]byte(form.Get("metadata")), &metadata)
		}
		if err != nil {
			m.escapes = err.Error()
		}
		m.notice, _ = metadata.EventPayload["notice"].(string)
		var found string
		m.text, m.mentions, found = judged([]byte(form.Get("blocks")))
		m.escapes += found
		if form.Get("unfurl_links") != "false" || form.Get("unfurl_media") != "false" || form.Get("parse") == "full" || form.Get("link_names") == "1" {
			m.escapes += "links are made of text: " + form.Encode()
		}
		if unescaped(m.fallback) {
			m.escapes += "the text for notifications: " + m.fallback
		}
		all = append(all, m)
	}
	return all
}

// judged reads blocks by Slack's own types and limits, and says what is not ours in them.
func judged(raw []byte) (text string, mentions []string, found string) {
	var read slack.Blocks
	if err := json.Unmarshal(raw, &read); err != nil {
		return "", nil, "blocks: " + err.Error()
	}
	if n := len(read.BlockSet); n == 0 || n > 50 {
		found = fmt.Sprintf("%d blocks", n)
	}
	for _, b := range read.BlockSet {
		switch b := b.(type) {
		case *slack.HeaderBlock:
			found += plainOnly(b.Text, 150)
			text += html.UnescapeString(b.Text.Text) + "\n"
		case *slack.ContextBlock:
			for _, e := range b.ContextElements.Elements {
				t, ok := e.(*slack.TextBlockObject)
				if !ok {
					return "", nil, "a context of something else than text"
				}
				found += plainOnly(t, 3000)
				text += html.UnescapeString(t.Text) + "\n"
			}
		case *slack.SectionBlock:
			if err := b.Text.Validate(); err != nil {
				found += err.Error()
			}
			if b.Text.Type == slack.PlainTextType {
				found += plainOnly(b.Text, 3000)
				text += html.UnescapeString(b.Text.Text) + "\n"
				continue
			}
			ids, bad := markupOnly(b.Text.Text)
			mentions, found = append(mentions, ids...), found+bad
		default:
			found += fmt.Sprintf("a block %s", b.BlockType())
		}
	}
	return text, mentions, found
}

func plainOnly(t *slack.TextBlockObject, limit int) string {
	switch {
	case t.Type != slack.PlainTextType || t.Emoji == nil || *t.Emoji:
		return "text that is formatted: " + t.Text
	case utf8.RuneCountInString(t.Text) > limit || t.Text == "":
		return fmt.Sprintf("%d characters, of at most %d", utf8.RuneCountInString(t.Text), limit)
	case unescaped(t.Text):
		return "text that is not escaped: " + t.Text
	case strings.Contains(t.Text, "://"):
		return "an address: " + t.Text
	}
	return ""
}

// unescaped reports whether text holds a character of Slack's that is not an entity.
func unescaped(s string) bool {
	return strings.ContainsAny(s, "<>") || strings.Contains(regexp.MustCompile(`&(amp|lt|gt);`).ReplaceAllString(s, ""), "&")
}

// markupOnly allows a line of mentions, or one link of ours.
func markupOnly(s string) (ids []string, bad string) {
	if m := regexp.MustCompile(`^<(https?://[^<>|]+)\|Open the case>$`).FindStringSubmatch(s); m != nil {
		if u := html.UnescapeString(m[1]); wording.Link(u) != u {
			return nil, "a link: " + s
		}
		return nil, ""
	}
	for word := range strings.FieldsSeq(s) {
		m := regexp.MustCompile(`^<(@|!subteam\^)([UWS][A-Z0-9]+)>$`).FindStringSubmatch(word)
		if m == nil {
			return nil, "markup: " + s
		}
		ids = append(ids, m[2])
	}
	return ids, ""
}

func works() notifytest.Answer {
	var mu sync.Mutex
	n := 0
	return func(r notifytest.Request) (int, string) {
		mu.Lock()
		defer mu.Unlock()
		form, _ := url.ParseQuery(string(r.Body))
		if strings.HasSuffix(r.Path, "/conversations.members") {
			return 200, `{"ok":true,"members":["UBOT","U0123ABCD"]}`
		}
		if strings.HasSuffix(r.Path, "/usergroups.users.list") {
			return 200, `{"ok":true,"users":["U0123ABCD","U9"]}`
		}
		n++
		if form.Get("token") != secret && r.Header.Get("Authorization") != "Bearer "+secret {
			return 200, `{"ok":false,"error":"invalid_auth"}`
		}
		return 200, fmt.Sprintf(`{"ok":true,"channel":"C0123","ts":"1700000000.%06d"}`, n)
	}
}

func start(t *testing.T) (*notifytest.Server, *kept, *Channel) {
	t.Helper()
	s := notifytest.NewServer(t, works())
	k := newKept()
	return s, k, channel(t, s.URL(), k)
}

func channel(t testing.TB, base string, k Threads) *Channel {
	t.Helper()
	c, err := New(config.Slack{Channel: "C0123", Token: config.NewSecret(secret), BaseURL: base + "/api"}, k, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	c.limit = rate.NewLimiter(rate.Inf, 1)
	return c
}

func TestContract(t *testing.T) {
	notifytest.RunHTTP(t, func(t *testing.T) (notify.Channel, notifytest.Recorder, *notifytest.Server) {
		s, _, c := start(t)
		return c, recorder{s}, s
	})
}

// about is a digest of cases for one purpose, to one owner.
func about(id, purpose string, cases ...string) notify.Digest {
	d := notifytest.Sample(id, []string{"a@example.com"})
	one := d.Items[0]
	d.Items = nil
	for _, c := range cases {
		one.Case, one.Purpose, one.URL = c, purpose, "https://k8guard.example/cases/"+c
		d.Items = append(d.Items, one)
	}
	return d
}

func sends(t *testing.T, c *Channel, d notify.Digest, want notify.OutcomeState) notify.Outcome {
	t.Helper()
	out := c.Send(t.Context(), d)
	if out.State != want {
		t.Fatalf("%s: %+v, want %s", d.ID, out, want)
	}
	return out
}

// The first message about a case is the root, the next stand below it, also after a restart, and
// the root says when it is over. What comes after begins a new thread.
func TestAThreadForEachCase(t *testing.T) {
	s, k, c := start(t)
	sends(t, c, about("n/1", "warning", "c-1", "c-2"), notify.Confirmed)
	c = channel(t, s.URL(), k)
	sends(t, c, about("n/2", "warning", "c-1"), notify.Confirmed)
	sends(t, c, about("n/3", "resolved", "c-1"), notify.Confirmed)
	sends(t, c, about("n/4", "warning", "c-1"), notify.Confirmed)
	var got []string
	for _, m := range messages(s) {
		got = append(got, strings.TrimSpace(m.method+" "+m.thread+m.ts))
		if m.escapes != "" || m.channel != "C0123" {
			t.Errorf("%+v", m)
		}
	}
	root := "1700000000.000001"
	want := []string{"chat.postMessage", "chat.postMessage", "chat.postMessage " + root, "chat.postMessage " + root, "chat.update " + root, "chat.postMessage"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
	if m := messages(s)[4]; !strings.Contains(m.text, "Resolved: ") {
		t.Errorf("the root says %q", m.text)
	}
	if n := k.thread("c-1"); n.TS == root || n.Over {
		t.Errorf("%+v", n)
	}
}

// A ledger that forgot, and a root that somebody deleted, begin a new thread.
// A thread of the channel that was configured before would be seen by nobody in the new one.
func TestAnotherChannelBeginsAnew(t *testing.T) {
	s, k, c := start(t)
	sends(t, c, about("n/1", "warning", "c-1"), notify.Confirmed)
	c.conf.Channel = "C0456"
	sends(t, c, about("n/2", "warning", "c-1"), notify.Confirmed)
	if m := messages(s); len(m) != 2 || m[1].thread != "" || k.thread("c-1").In != "C0456" {
		t.Errorf("%+v, %+v", m, k.thread("c-1"))
	}
}

func TestALostThreadBeginsAnew(t *testing.T) {
	s, k, c := start(t)
	sends(t, c, about("n/1", "warning", "c-1"), notify.Confirmed)
	clear(k.books)
	sends(t, c, about("n/2", "warning", "c-1"), notify.Confirmed)
	if m := messages(s); len(m) != 2 || m[1].thread != "" {
		t.Fatalf("%+v", m)
	}
	answered := 0
	s.Reply(func(w http.ResponseWriter, r notifytest.Request) {
		answered++
		if form, _ := url.ParseQuery(string(r.Body)); form.Get("thread_ts") != "" {
			_, _ = fmt.Fprint(w, `{"ok":false,"error":"thread_not_found"}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"ok":true,"channel":"C0123","ts":"9.9"}`)
	})
	sends(t, c, about("n/3", "warning", "c-1"), notify.Confirmed)
	if answered != 2 || k.thread("c-1").TS != "9.9" {
		t.Errorf("%d requests, %+v", answered, k.thread("c-1"))
	}
	// An update of a root that is gone holds nothing up.
	s.Reply(func(w http.ResponseWriter, r notifytest.Request) {
		if strings.HasSuffix(r.Path, "chat.update") {
			_, _ = fmt.Fprint(w, `{"ok":false,"error":"message_not_found"}`)
			return
		}
		_, _ = fmt.Fprint(w, `{"ok":true,"channel":"C0123","ts":"9.8"}`)
	})
	sends(t, c, about("n/4", "resolved", "c-1"), notify.Confirmed)
}

// What stopped half-way goes on where it stopped, also in another process, and repeats nothing.
func TestHalfASendGoesOn(t *testing.T) {
	s, k, c := start(t)
	posted := map[string]int{}
	limit := 2
	s.Reply(func(w http.ResponseWriter, r notifytest.Request) {
		if limit == 0 {
			w.Header().Set("Retry-After", "30")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		limit--
		form, _ := url.ParseQuery(string(r.Body))
		posted[regexp.MustCompile(`case c-\d`).FindString(form.Get("text"))]++
		_, _ = fmt.Fprint(w, `{"ok":true,"channel":"C0123","ts":"1.1"}`)
	})
	d := about("n/1", "warning", "c-1", "c-2", "c-3")
	out := sends(t, c, d, notify.Failed)
	if out.RetryAfter != 30*time.Second || !strings.Contains(out.Detail, "case 3 of 3") || len(out.Accepted) > 0 {
		t.Errorf("%+v", out)
	}
	limit = 5
	sends(t, channel(t, s.URL(), k), d, notify.Confirmed)
	if len(posted) != 3 || posted["case c-1"] != 1 || posted["case c-2"] != 1 || posted["case c-3"] != 1 {
		t.Errorf("%v", posted)
	}
}

func casesOf(told []notify.Telling) (ids []string) {
	for _, one := range told {
		ids = append(ids, one.Case)
	}
	return ids
}

// A notice that stopped half-way knows of each case whether it was told.
func TestHalfASendKnowsEachCase(t *testing.T) {
	for name, row := range map[string]struct {
		third        func(http.ResponseWriter)
		state        notify.OutcomeState
		told, untold []string
	}{
		"refused": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusTooManyRequests) }, notify.Failed, []string{"c-1", "c-2"}, nil},
		"unknown": {func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, notify.Unknown, []string{"c-1", "c-2"}, []string{"c-4", "c-5"}},
	} {
		s, k, c := start(t)
		posted := 0
		s.Reply(func(w http.ResponseWriter, _ notifytest.Request) {
			if posted++; posted == 3 {
				row.third(w)
				return
			}
			_, _ = fmt.Fprint(w, `{"ok":true,"channel":"C0123","ts":"1.1"}`)
		})
		d := about("n/1", "warning", "c-1", "c-2", "c-3", "c-4", "c-5")
		if out := sends(t, c, d, row.state); !slices.Equal(casesOf(out.Told), row.told) || !slices.Equal(out.Untold, row.untold) {
			t.Errorf("%s: told %v, untold %v", name, out.Told, out.Untold)
		}
		s.Reply(func(w http.ResponseWriter, _ notifytest.Request) { w.WriteHeader(http.StatusTooManyRequests) })
		if out := sends(t, channel(t, s.URL(), k), d, notify.Failed); !slices.Equal(casesOf(out.Told), []string{"c-1", "c-2"}) {
			t.Errorf("%s, the next try: told %v", name, out.Told)
		}
	}
}

// What was said and could not be noted is not to be tried again: it would be said twice.
func TestWhatIsNotOnRecordIsNotRepeated(t *testing.T) {
	s, k, c := start(t)
	k.down = true
	sends(t, c, about("n/1", "warning", "c-1"), notify.Confirmed)
	asked := s.Asked()
	s.Reply(func(w http.ResponseWriter, _ notifytest.Request) {
		if s.Asked() == asked+1 {
			_, _ = fmt.Fprint(w, `{"ok":true,"channel":"C0123","ts":"1.1"}`)
			return
		}
		w.WriteHeader(http.StatusTooManyRequests)
	})
	sends(t, c, about("n/2", "warning", "c-1", "c-2"), notify.Unknown)
}

func TestSlacksWords(t *testing.T) {
	for body, want := range map[string]notify.Outcome{
		`{"ok":false,"error":"channel_not_found"}`:             {State: notify.Failed, Detail: "Slack says: channel_not_found"},
		`{"ok":false,"error":"invalid_auth"}`:                  {State: notify.Failed, Detail: "Slack says: invalid_auth"},
		`{"ok":false,"error":"ratelimited"}`:                   {State: notify.Failed, Detail: "Slack says: ratelimited", RetryAfter: time.Minute},
		`{"ok":false,"error":"internal_error"}`:                {State: notify.Unknown, Detail: "Slack says: internal_error"},
		`{"ok":false,"error":"fatal_error"}`:                   {State: notify.Unknown, Detail: "Slack says: fatal_error"},
		`{"ok":false,"error":"<script>\u0007 ` + secret + `"}`: {State: notify.Failed, Detail: "Slack says: an error that is not understood"},
		`<html>`: {State: notify.Unknown, Detail: "no clear answer"},
		``:       {State: notify.Unknown, Detail: "no clear answer"},
		`{"ok":true,"channel":"C0123","ts":"1.1"}`: {State: notify.Confirmed},
	} {
		s, _, c := start(t)
		s.Reply(func(w http.ResponseWriter, _ notifytest.Request) { _, _ = fmt.Fprint(w, body) })
		out := c.Send(t.Context(), about("n/1", "warning", "c-1"))
		if out.State != want.State || !strings.HasSuffix(out.Detail, want.Detail) || out.RetryAfter != want.RetryAfter {
			t.Errorf("%s: %+v", body, out)
		}
	}
}

// Ids of the platform's records are mentioned, and accepted for; nothing else is.
func TestMentions(t *testing.T) {
	s, _, c := start(t)
	d := about("n/1", "warning", "c-1")
	d.Mentions, d.Tags = []string{"U0123ABCD", "S0123ABCD", "U0123ABCD", "!channel", "U1> <!here"}, []string{"W999"}
	out := sends(t, c, d, notify.Confirmed)
	if want := []string{"slack", "U0123ABCD", "S0123ABCD"}; !slices.Equal(out.Accepted, want) {
		t.Errorf("accepted %v", out.Accepted)
	}
	m := messages(s)[0]
	if want := []string{"U0123ABCD", "S0123ABCD", "W999"}; !slices.Equal(m.mentions, want) || m.escapes != "" {
		t.Errorf("%+v", m)
	}
}

func TestTheBookIsBounded(t *testing.T) {
	var b Book
	at := time.Now()
	for i := range maxThreads + 10 {
		b.Set(fmt.Sprint("c-", i), Thread{TS: "1", At: at.Add(time.Duration(i))})
	}
	if _, old := b.Threads["c-9"]; len(b.Threads) != maxThreads || old {
		t.Errorf("%d threads, the oldest is there: %v", len(b.Threads), old)
	}
}

func TestATokenOfAnyKindIsNotShown(t *testing.T) {
	s, k, _ := start(t)
	rapid.Check(t, func(r *rapid.T) {
		mark := rapid.StringMatching(`xoxb-[A-Za-z0-9-]{10,30}`).Draw(r, "token")
		s.Behave(rapid.SampledFrom([]notifytest.Behaviour{notifytest.Works, notifytest.Rejects, notifytest.CutAfter, notifytest.Refuses}).Draw(r, "server"))
		conf := config.Slack{Channel: "C0123", Token: config.NewSecret(mark), BaseURL: rapid.SampledFrom([]string{s.URL(), "http://127.0.0.1:1", "http://[::1"}).Draw(r, "base")}
		c, err := New(conf, k, time.Now)
		if err != nil {
			r.Fatal(err)
		}
		out := c.Send(t.Context(), about("n/1", "warning", "c-1"))
		if shown := fmt.Sprintf("%+v %#v %+v %+v", out, c, c, conf); strings.Contains(shown, mark) {
			r.Errorf("%s shows in %s", mark, shown)
		}
	})
}

func FuzzBlocks(f *testing.F) {
	hostile := notifytest.Hostile("x", nil)
	f.Add("id", hostile.Items[0].Message, "https://ok.example/\"><b>", "U1")
	f.Add("id\r\nX: y", "<!channel> <@U1> &lt;!here&gt; `x` *y* http://evil.example :smile:", "javascript:x", "U1> <!channel")
	f.Add("", "&&&&&&&&&&<<<<<<<<<<", "http://a.example/|x>", "S1\n<!here>")
	f.Fuzz(func(t *testing.T, id, s, u, user string) {
		d := notifytest.HostileWith(id, s, u)
		d.Mentions, d.Tags = []string{user}, []string{s}
		for _, first := range []bool{true, false} {
			raw, err := json.Marshal(slack.Blocks{BlockSet: blocks(d, d.Items[0], first)})
			if err != nil {
				t.Fatal(err)
			}
			text, mentions, found := judged(raw)
			if found != "" {
				t.Errorf("%q became %s", s, found)
			}
			for _, id := range mentions {
				if id != user && id != s {
					t.Errorf("%q mentions %s", s, id)
				}
			}
			if strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.In(r, unicode.Cc, unicode.Cf) }) {
				t.Errorf("a control character of %q is shown", s)
			}
		}
		if unescaped(escaped(fallback(d, d.Items[0]))) {
			t.Errorf("%q breaks out of the text for notifications", s)
		}
	})
}
