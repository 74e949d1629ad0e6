package email

import (
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/tools/mailsink"
)

// Every way to a server, and every server that must be refused before a byte of the message,
// or of the password, goes out.
func TestVariantsOfTLSAndAuth(t *testing.T) {
	login := mailsink.Options{User: "guard", Password: secret}
	with := func(o mailsink.Options, change func(*mailsink.Options)) mailsink.Options { change(&o); return o }
	mech := func(m ...string) mailsink.Options { return with(login, func(o *mailsink.Options) { o.Mechs = m }) }
	same := func(*config.Email) {}
	plain := func(c *config.Email) { c.TLS, c.Username, c.Password = "none", "", config.Secret{} }
	for name, tt := range map[string]struct {
		server mailsink.Options
		change func(*config.Email)
		refuse string // what the outcome says; empty: the mail is taken
	}{
		"starttls, PLAIN or LOGIN": {login, same, ""},
		"PLAIN":                    {mech("PLAIN"), same, ""},
		"LOGIN":                    {mech("LOGIN"), same, ""},
		"CRAM-MD5":                 {mech("CRAM-MD5"), same, ""},
		"CRAM-MD5, wrong password": {mech("CRAM-MD5"), func(c *config.Email) { c.Password = config.NewSecret("other") }, "log in"},
		"a mechanism unknown":      {mech("XOAUTH2"), same, "offers none of AUTH PLAIN, LOGIN and CRAM-MD5"},
		"no AUTH at all":           {mailsink.Options{}, same, "offers none of AUTH"},
		"implicit tls":             {with(login, func(o *mailsink.Options) { o.Implicit = true }), func(c *config.Email) { c.TLS = "tls" }, ""},
		"implicit tls, no login":   {mailsink.Options{Implicit: true}, func(c *config.Email) { plain(c); c.TLS = "tls" }, ""},
		"starttls, no login":       {mailsink.Options{}, func(c *config.Email) { plain(c); c.TLS = "starttls" }, ""},
		"none":                     {mailsink.Options{NoTLS: true}, plain, ""},
		"no STARTTLS is offered":   {with(login, func(o *mailsink.Options) { o.NoTLS = true }), same, "open the session"},
		"expired certificate":      {with(login, func(o *mailsink.Options) { o.Expired = true }), same, "expired"},
		"expired, implicit":        {with(login, func(o *mailsink.Options) { o.Expired, o.Implicit = true, true }), func(c *config.Email) { c.TLS = "tls" }, "expired"},
		"an authority unknown":     {login, func(c *config.Email) { c.CAFile = "" }, "certificate"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.server.Dir = t.TempDir()
			s, err := mailsink.Start(tt.server)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			host, port, _ := net.SplitHostPort(s.SMTPAddr())
			n, _ := strconv.Atoi(port)
			conf := config.Email{Host: host, Port: n, CAFile: s.CAFile(), Username: "guard", Password: config.NewSecret(secret),
				From: "guard@example.com", Domains: []string{"example.com"}}
			tt.change(&conf)
			out := channel(t, conf).Send(t.Context(), notifytest.Sample("n/1", []string{"a@example.com"}))
			if tt.refuse != "" {
				if out.State != notify.Failed || !strings.Contains(out.Detail, tt.refuse) || len(s.Messages()) != 0 || strings.Contains(out.Detail, secret) {
					t.Errorf("got %+v and %d mails, want a refusal that says %q", out, len(s.Messages()), tt.refuse)
				}
				return
			}
			if m := s.Messages(); out.State != notify.Confirmed || len(m) != 1 || m[0].TLS != (conf.TLS != "none") || m[0].Auth != (conf.Username != "") {
				t.Errorf("got %+v, mails %+v", out, m)
			}
		})
	}
}
