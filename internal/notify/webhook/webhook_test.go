package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/cloudevents/sdk-go/v2/event"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/internal/notify/post"
)

const (
	secret = "s3cr3t-k3y-of-the-webhook-0123456789"
	token  = "t0k3n-in-the-address"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type recorder struct{ *notifytest.Server }

func (recorder) Facts() notifytest.Facts {
	return notifytest.Facts{To: []string{"a@example.com"}, Place: "webhook/audit", Secret: secret, ID: post.ID}
}

// Received reads what a receiver would: the signature first, then the event by CloudEvents' own
// package.
func (r recorder) Received() (all []notifytest.Received) {
	for _, one := range r.Taken() {
		got := notifytest.Received{To: []string{"webhook/audit"}}
		var e event.Event
		if err := e.UnmarshalJSON(one.Body); err != nil {
			got.Escapes = err.Error()
		} else if err := e.Validate(); err != nil {
			got.Escapes = err.Error()
		}
		got.ID = e.ID()
		if !verifies(one, []byte(secret)) {
			got.Escapes = "the signature is wrong"
		}
		var data any
		if err := json.Unmarshal(e.Data(), &data); err != nil {
			got.Escapes = err.Error()
		}
		got.Text = strings.Join(texts(data), "\n")
		all = append(all, got)
	}
	return all
}

// texts are all strings of a JSON value.
func texts(v any) (all []string) {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, one := range v {
			all = append(all, texts(one)...)
		}
	case map[string]any:
		for _, one := range v {
			all = append(all, texts(one)...)
		}
	}
	return all
}

func verifies(r notifytest.Request, key []byte) bool {
	mac := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(mac, "%s.%s.%s", r.Header.Get(HeaderID), r.Header.Get(HeaderTimestamp), r.Body)
	return r.Header.Get(HeaderSignature) == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func at() time.Time { return time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC) }

func conf(url string) config.Webhook {
	return config.Webhook{Name: "audit", URL: config.NewSecret(url + "/in?token=" + token), Key: config.NewSecret(secret)}
}

func channel(t testing.TB, c config.Webhook) *Channel {
	t.Helper()
	ch, err := New(c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return ch
}

func server(t *testing.T) *notifytest.Server {
	return notifytest.NewServer(t, func(notifytest.Request) (int, string) { return 202, "" })
}

func TestContract(t *testing.T) {
	notifytest.RunHTTP(t, func(t *testing.T) (notify.Channel, notifytest.Recorder, *notifytest.Server) {
		s := server(t)
		return channel(t, conf(s.URL())), recorder{s}, s
	})
}

// A try again has the same id and body, and a time and signature of its own.
func TestARepetitionIsTheSameEvent(t *testing.T) {
	s := server(t)
	c := channel(t, conf(s.URL()))
	now := at()
	c.now = func() time.Time { return now }
	for range 2 {
		if out := c.Send(t.Context(), notifytest.Sample("notice/webhook/audit/a@example.com/3", []string{"a@example.com"})); out.State != notify.Confirmed {
			t.Fatal(out)
		}
		now = now.Add(time.Hour)
	}
	got := s.Taken()
	if string(got[0].Body) != string(got[1].Body) || got[0].Header.Get(HeaderID) != got[1].Header.Get(HeaderID) ||
		got[0].Header.Get(HeaderTimestamp) == got[1].Header.Get(HeaderTimestamp) || got[0].Header.Get(HeaderSignature) == got[1].Header.Get(HeaderSignature) {
		t.Errorf("%v\n%v", got[0].Header, got[1].Header)
	}
	var e event.Event
	if err := e.UnmarshalJSON(got[0].Body); err != nil || e.ID() != post.ID(notifytest.Sample("notice/webhook/audit/a@example.com/3", nil)) || e.Type() != Type ||
		e.Source() != "/k8guard/clusters/prod" || e.Subject() != "a@example.com" || got[0].Header.Get("Content-Type") != contentType {
		t.Errorf("%v, %v", e, err)
	}
}

// What a receiver must notice: another key, another body, another time, another id.
func TestAForgeryDoesNotVerify(t *testing.T) {
	s := server(t)
	if out := channel(t, conf(s.URL())).Send(t.Context(), notifytest.Sample("n/1", nil)); out.State != notify.Confirmed {
		t.Fatal(out)
	}
	good := s.Taken()[0]
	if !verifies(good, []byte(secret)) {
		t.Fatal("it does not verify at all")
	}
	for name, change := range map[string]func(*notifytest.Request){
		"body": func(r *notifytest.Request) { r.Body = append(slices.Clone(r.Body), ' ') },
		"time": func(r *notifytest.Request) { r.Header.Set(HeaderTimestamp, "1") },
		"id":   func(r *notifytest.Request) { r.Header.Set(HeaderID, "n/2") },
	} {
		forged := good
		forged.Header = good.Header.Clone()
		change(&forged)
		if verifies(forged, []byte(secret)) {
			t.Errorf("another %s goes unnoticed", name)
		}
	}
	if verifies(good, []byte("another")) {
		t.Error("another key goes unnoticed")
	}
}

func TestAKeyOfStandardWebhooks(t *testing.T) {
	raw := []byte("0123456789abcdef0123456789abcdef")
	s := server(t)
	c := conf(s.URL())
	c.Key = config.NewSecret("whsec_" + base64.StdEncoding.EncodeToString(raw))
	if out := channel(t, c).Send(t.Context(), notifytest.Sample("n/1", nil)); out.State != notify.Confirmed || !verifies(s.Taken()[0], raw) {
		t.Error(out)
	}
}

// Files are read for each notice, and a mistake in one names the key and not what it holds.
func TestFiles(t *testing.T) {
	s := server(t)
	dir := t.TempDir()
	c := config.Webhook{Name: "audit", URLFile: filepath.Join(dir, "url"), KeyFile: filepath.Join(dir, "key")}
	ch := channel(t, c)
	for _, step := range []struct {
		url, key, says string
		want           notify.OutcomeState
	}{
		{"", secret, "notify.webhook.audit.urlFile is empty", notify.Failed},
		{"http://far.example/" + token, secret, "notify.webhook.audit.url: would send a secret in clear", notify.Failed},
		{"https://u:" + token + "@far.example/", secret, "notify.webhook.audit.url: holds a name or a password", notify.Failed},
		{s.URL(), "short", "notify.webhook.audit.key: is shorter than 24 bytes", notify.Failed},
		{s.URL() + "/\r\nX: y", secret, "notify.webhook.audit.url holds a space", notify.Failed},
		{s.URL() + "\n", secret + "\n", "", notify.Confirmed},
	} {
		for name, text := range map[string]string{"url": step.url, "key": step.key} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		out := ch.Send(t.Context(), notifytest.Sample("n/1", nil))
		if out.State != step.want || !strings.Contains(out.Detail, step.says) || strings.Contains(out.Detail, token) || strings.Contains(out.Detail, secret) {
			t.Errorf("%q: %+v", step.says, out)
		}
		if err := ch.Ready(); (err == nil) != (step.want == notify.Confirmed) {
			t.Errorf("%q: ready says %v", step.says, err)
		}
	}
}

// Whatever the address and the key are, no outcome and no printed channel shows them.
func TestNoSecretIsShown(t *testing.T) {
	s := server(t)
	rapid.Check(t, func(r *rapid.T) {
		mark := rapid.StringMatching(`[A-Za-z0-9]{24,40}`).Draw(r, "secret")
		c := config.Webhook{Name: "audit", Key: config.NewSecret(mark), URL: config.NewSecret(rapid.SampledFrom([]string{
			s.URL() + "/" + mark, "http://127.0.0.1:1/" + mark, "https://" + mark + ".invalid/", "http://[::1/" + mark, "ftp://" + mark, s.URL() + "/%zz" + mark,
		}).Draw(r, "address"))}
		s.Behave(rapid.SampledFrom([]notifytest.Behaviour{notifytest.Works, notifytest.Rejects, notifytest.CutAfter, notifytest.Refuses}).Draw(r, "server"))
		ch, err := New(c, time.Now)
		if err != nil {
			r.Fatal(err)
		}
		out := ch.Send(t.Context(), notifytest.Sample("n/1", nil))
		if shown := fmt.Sprintf("%+v %#v %+v %v %+v", out, ch, ch, ch.Ready(), c); strings.Contains(strings.ToLower(shown), strings.ToLower(mark)) {
			r.Errorf("%s shows in %s", mark, shown)
		}
	})
}

// What is signed is read in one way only, whatever an owner's address holds: the id has no dot.
func TestTheIDHasNoDot(t *testing.T) {
	s := server(t)
	for _, key := range []string{"notice/webhook/audit/ada@shop.example.com/1", "1.2.3", "", "\r\n", strings.Repeat("a@b.example,", 200)} {
		channel(t, conf(s.URL())).Send(t.Context(), notifytest.Sample(key, nil))
		all := s.Taken()
		id := all[len(all)-1].Header.Get(HeaderID)
		if !regexp.MustCompile(`^[a-z0-9-]{1,64}$`).MatchString(id) || !verifies(all[len(all)-1], []byte(secret)) {
			t.Errorf("%q is sent as %q", key, id)
		}
	}
}

func FuzzEvent(f *testing.F) {
	hostile := notifytest.Hostile("x", nil)
	f.Add("id", hostile.Items[0].Message, "https://ok.example/\"><b>")
	f.Add("id\r\nX: y", "\xff\xfe\u2028<\u202e\\u0000", "javascript:x")
	f.Add("", `","data":{"number":9}}`, "http://a@b/")
	f.Fuzz(func(t *testing.T, id, s, u string) {
		d := notifytest.HostileWith(id, s, u)
		body, err := channel(t, conf("http://127.0.0.1:1")).Preview(d)
		if err != nil {
			t.Fatal(err)
		}
		var e event.Event
		if err := e.UnmarshalJSON(body); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if err := e.Validate(); err != nil {
			t.Errorf("%q: %v", s, err)
		}
		if e.ID() != post.ID(d) || !regexp.MustCompile(`^[a-z0-9-]{1,64}$`).MatchString(e.ID()) {
			t.Errorf("%q is signed as %q", d.ID, e.ID())
		}
		var n Notice
		if err := json.Unmarshal(e.Data(), &n); err != nil || n.Number != d.Number || len(n.Cases) != len(d.Items) {
			t.Errorf("%q became another notice: %+v, %v", s, n, err)
		}
		var data any
		_ = json.Unmarshal(e.Data(), &data)
		for _, one := range texts(data) {
			if strings.ContainsFunc(one, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf) }) {
				t.Errorf("a control character of %q is shown", s)
			}
		}
	})
}
