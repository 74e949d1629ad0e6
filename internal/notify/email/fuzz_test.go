package email

import (
	"mime"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
)

func configured() config.Email {
	return config.Email{Host: "mail.example.com", From: "guard@example.com", Domains: []string{"example.com"}}
}

func TestRecipients(t *testing.T) {
	c := channel(t, configured())
	for _, bad := range []string{"", "@example.com", "a@", "a b@example.com", `"a b"@example.com`, "Ann <a@example.com>",
		"a@example.com\r\nRCPT TO:<x@y>", "a@example.com\x00", "a@exämple.com", "a@example.com.evil.org", "a@evil.org",
		"a@sub.example.com", "a@[127.0.0.1]", "a@example.com,b@example.com", "ä@example.com", "a..b@example.com",
		"a@example.com ", strings.Repeat("a", 65) + "@example.com", "a@" + strings.Repeat("b", 260), "a@evil.org@example.com"} {
		to, refused, why := c.recipients([]string{bad})
		if len(to) != 0 || len(refused) != 1 || why == "" {
			t.Errorf("%q: got %v, %v, %q", bad, to, refused, why)
		}
	}
	to, refused, _ := c.recipients([]string{"a@example.com", "B+x@EXAMPLE.com", "a@example.com", "z@evil.org"})
	if !slices.Equal(to, []string{"a@example.com", "B+x@EXAMPLE.com"}) || !slices.Equal(refused, []string{"z@evil.org"}) {
		t.Errorf("got %v, %v", to, refused)
	}
}

func FuzzRecipient(f *testing.F) {
	for _, s := range []string{"a@example.com", `"x"@example.com`, "a@example.com\r\n", "<a@example.com>", "a@b@example.com"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c := channel(t, configured())
		to, _, _ := c.recipients([]string{s})
		if len(to) == 0 {
			return
		}
		parsed, err := mail.ParseAddress(to[0])
		if err != nil || parsed.Address != s || len(s) > 254 || !strings.HasSuffix(strings.ToLower(s), "@example.com") ||
			strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' || r == '"' }) {
			t.Errorf("let %q through", s)
		}
	})
}

func FuzzMessage(f *testing.F) {
	hostile := notifytest.Hostile("x", nil)
	f.Add("id", hostile.Items[0].Message, "https://ok.example/\"><b>")
	f.Add("id\r\nX: y", "=?utf-8?q?=0D=0ABcc:_x?=", "javascript:x")
	f.Add("", "\xff\xfe\u2028<\u202e", "http://a@b/")
	f.Fuzz(func(t *testing.T, id, s, u string) {
		d := notifytest.Hostile(id, nil)
		d.Cluster, d.URL, d.Owner.From = s, u, s
		it := &d.Items[0]
		it.Title, it.Rule, it.Severity, it.Why, it.Remedy, it.Message, it.Evidence = s, s, s, s, s, s, s
		it.Root.Kind, it.Root.Name, it.Undo, it.URL, it.NextStep, it.Human, it.Purpose = s, s, s, u, s, s, "enforced"
		d.Summary = []notify.Count{{Rule: s, Cases: 1}}
		raw, err := channel(t, configured()).compose(t.Context(), d, []string{"a@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		head, text, page, err := judged(raw)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		for key, values := range head {
			if !slices.Contains(headers(), key) || len(values) != 1 {
				t.Errorf("%q became a header: %s: %q", s, key, values)
			}
		}
		if e := foreign(page); e != "" {
			t.Errorf("%q became markup: %s", s, e)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(head.Get("Subject"))
		if err != nil {
			t.Error(err)
		}
		for _, shown := range []string{text, page, subject} {
			if strings.ContainsFunc(shown, func(r rune) bool { return r != '\n' && r != '\r' && unicode.In(r, unicode.Cc, unicode.Cf) }) {
				t.Errorf("a control character of %q is shown", s)
			}
		}
		if head.Get("To") != "<a@example.com>" {
			t.Errorf("To is %q", head.Get("To"))
		}
	})
}
