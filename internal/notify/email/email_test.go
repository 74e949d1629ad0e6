package email

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/tools/mailsink"
	"go.uber.org/goleak"
)

const secret = "s3cr3t-Pa55w0rd"

func at() time.Time { return time.Date(2026, 11, 24, 10, 30, 0, 0, time.UTC) }

func startSink(t *testing.T) (*mailsink.Sink, config.Email) {
	t.Helper()
	s, err := mailsink.Start(mailsink.Options{Dir: t.TempDir(), User: "guard", Password: secret})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	host, port, _ := net.SplitHostPort(s.SMTPAddr())
	n, _ := strconv.Atoi(port)
	return s, config.Email{Host: host, Port: n, CAFile: s.CAFile(), Username: "guard", Password: config.NewSecret(secret),
		From: "K8Guard <guard@example.com>", Domains: []string{"Example.com"}}
}

func channel(t *testing.T, conf config.Email) *Channel {
	t.Helper()
	c, err := New(conf, at)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

type recorder struct{ sink *mailsink.Sink }

func (r recorder) Facts() notifytest.Facts {
	return notifytest.Facts{To: []string{"a@example.com", "b@example.com"}, Secret: secret}
}

func (r recorder) Behave(b notifytest.Behaviour) {
	_ = r.sink.SetFault(map[notifytest.Behaviour]mailsink.Fault{
		notifytest.Works: {Mode: mailsink.OK}, notifytest.Refuses: {Mode: mailsink.RefuseConn},
		notifytest.Rejects: {Mode: mailsink.PermFail}, notifytest.Defers: {Mode: mailsink.TempFail},
		notifytest.CutAfter: {Mode: mailsink.DropAfterData}, notifytest.Stall: {Mode: mailsink.Slow, Delay: time.Minute},
	}[b])
}

func (r recorder) Received() []notifytest.Received {
	var all []notifytest.Received
	for _, m := range r.sink.Messages() {
		all = append(all, notifytest.Received{ID: m.Get(HeaderNotice), To: m.Rcpts, Text: m.Text, Escapes: escapes(m)})
	}
	return all
}

// headers are those that a mail of ours has.
func headers() []string {
	return []string{"Auto-Submitted", "Content-Type", "Date", "From", "List-Id", "Message-Id", "Mime-Version", "Subject", "To", "X-K8guard-Notice"}
}

// escapes says what hostile text made of a mail: headers and tags that are not ours.
func escapes(m mailsink.Message) string {
	for key, values := range m.Header {
		if !slices.Contains(headers(), key) || len(values) != 1 || strings.ContainsAny(values[0], "\r\n") {
			return fmt.Sprintf("header %s: %q", key, values)
		}
	}
	if m.Problem != "" {
		return m.Problem
	}
	return foreign(m.HTML)
}

func TestContract(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) (notify.Channel, notifytest.Recorder) {
		s, conf := startSink(t)
		return channel(t, conf), recorder{s}
	})
}

func TestFaults(t *testing.T) {
	tests := map[string]struct {
		fault           mailsink.Fault
		want            notify.OutcomeState
		detail          string
		accepted, kept  int
		refusedByServer []string
	}{
		"some refused":       {mailsink.Fault{Mode: mailsink.PermFail, Rcpts: []string{"a@example.com"}}, notify.Confirmed, "550", 1, 1, []string{"a@example.com"}},
		"all refused":        {mailsink.Fault{Mode: mailsink.PermFail}, notify.Failed, "550", 0, 0, []string{"a@example.com", "b@example.com"}},
		"temporary":          {mailsink.Fault{Mode: mailsink.TempFail}, notify.Failed, "451", 0, 0, nil},
		"reset":              {mailsink.Fault{Mode: mailsink.RefuseConn}, notify.Failed, "reset", 0, 0, nil},
		"silent before":      {mailsink.Fault{Mode: mailsink.Slow, Delay: time.Minute}, notify.Failed, "name the sender", 0, 0, nil},
		"silent after":       {mailsink.Fault{Mode: mailsink.SlowReply, Delay: time.Minute}, notify.Unknown, "after the message went out", 0, 1, nil},
		"cut after":          {mailsink.Fault{Mode: mailsink.DropAfterData}, notify.Unknown, "after the message went out", 0, 1, nil},
		"slow but in time":   {mailsink.Fault{Mode: mailsink.SlowReply, Delay: 100 * time.Millisecond}, notify.Confirmed, "accepted", 2, 1, nil},
		"lost by the server": {mailsink.Fault{Mode: mailsink.AcceptThenLose}, notify.Confirmed, "accepted", 2, 0, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, conf := startSink(t)
			if err := s.SetFault(tt.fault); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			out := channel(t, conf).Send(ctx, notifytest.Sample("n/1", []string{"a@example.com", "b@example.com"}))
			if out.State != tt.want || len(out.Accepted) != tt.accepted || !strings.Contains(out.Detail, tt.detail) || !slices.Equal(out.Refused, tt.refusedByServer) {
				t.Errorf("got %+v", out)
			}
			if got := len(s.Messages()); got != tt.kept {
				t.Errorf("recorded %d, want %d", got, tt.kept)
			}
		})
	}
}

func TestTLSAndLogin(t *testing.T) {
	tests := map[string]struct {
		change func(*config.Email)
		want   notify.OutcomeState
		detail string
	}{
		"system roots do not know the server": {func(c *config.Email) { c.CAFile = "" }, notify.Failed, "certificate"},
		"wrong password":                      {func(c *config.Email) { c.Password = config.NewSecret("other") }, notify.Failed, "535"},
		"plain text is refused by the server": {func(c *config.Email) { c.TLS, c.Username, c.Password = "none", "", config.Secret{} }, notify.Failed, "name the sender"},
		"tls on a plain port":                 {func(c *config.Email) { c.TLS = "tls" }, notify.Failed, "open the session"},
		"nobody listens":                      {func(c *config.Email) { c.Port = 1 }, notify.Failed, "connect"},
		"password file is gone":               {func(c *config.Email) { c.PasswordFile = "/nonexistent/password" }, notify.Failed, "passwordFile"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, conf := startSink(t)
			tt.change(&conf)
			out := channel(t, conf).Send(t.Context(), notifytest.Sample("n/1", []string{"a@example.com"}))
			if out.State != tt.want || !strings.Contains(out.Detail, tt.detail) || len(s.Messages()) != 0 {
				t.Errorf("got %+v and %d mails", out, len(s.Messages()))
			}
		})
	}
}

func TestPasswordFileIsReadEachTime(t *testing.T) {
	s, conf := startSink(t)
	conf.Password, conf.PasswordFile = config.Secret{}, filepath.Join(t.TempDir(), "password")
	c := channel(t, conf)
	for i, tt := range []struct {
		content string
		want    notify.OutcomeState
	}{{"wrong\n", notify.Failed}, {secret + "\n", notify.Confirmed}} {
		if err := os.WriteFile(conf.PasswordFile, []byte(tt.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := c.Send(t.Context(), notifytest.Sample("n/1", []string{"a@example.com"})); out.State != tt.want {
			t.Errorf("try %d: %+v", i, out)
		}
	}
	if m := s.Messages(); len(m) != 1 || !m[0].TLS || !m[0].Auth {
		t.Errorf("want one mail over TLS with a login: %+v", m)
	}
}

func TestPasswordSentBackIsMasked(t *testing.T) {
	plain := base64.StdEncoding.EncodeToString([]byte("\x00guard\x00" + secret))
	got := mask("535 you said "+secret+" and "+plain, "guard", secret)
	if strings.Contains(got, secret) || strings.Contains(got, plain) {
		t.Error(got)
	}
}

func TestNewRefuses(t *testing.T) {
	good := config.Email{Host: "mail.example.com", From: "k@example.com", Domains: []string{"example.com"}}
	tests := map[string]func(*config.Email){
		"no host": func(c *config.Email) { c.Host = "" }, "no domains": func(c *config.Email) { c.Domains = nil },
		"tls word":              func(c *config.Email) { c.TLS = "maybe" },
		"password in the clear": func(c *config.Email) { c.TLS, c.Username, c.Password = "none", "u", config.NewSecret(secret) },
		"user alone":            func(c *config.Email) { c.Username = "u" },
		"from":                  func(c *config.Email) { c.From = "nobody" },
		"ca":                    func(c *config.Email) { c.CAFile = "email.go" },
	}
	if _, err := New(good, at); err != nil {
		t.Fatal(err)
	}
	for name, change := range tests {
		conf := good
		change(&conf)
		if _, err := New(conf, at); err == nil || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
