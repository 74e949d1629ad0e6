package mailsink

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const mailText = "Subject: =?utf-8?q?gr=C3=BCn?=\r\nContent-Type: text/html\r\n\r\n<b>hi</b></iframe>\"<script>x</script>\r\n"

func begin(t *testing.T, dir string) *Sink {
	t.Helper()
	s, err := Start(Options{Dir: dir, User: "u", Password: "p"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// dial returns a session over TLS that trusts only the CA file.
func dial(t *testing.T, addr, caFile string) *smtp.Client {
	t.Helper()
	pem, err := os.ReadFile(caFile)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	c, err := smtp.NewClientStartTLS(conn, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func login(t *testing.T, addr, caFile string, auth sasl.Client) error {
	t.Helper()
	c := dial(t, addr, caFile)
	if err := c.Auth(auth); err != nil {
		return err
	}
	return c.SendMail("from@x.test", []string{"a@x.test", "b@x.test"}, strings.NewReader(mailText))
}

func TestRecordsAndCountsOnOverARestart(t *testing.T) {
	dir := t.TempDir()
	for n, auth := range []sasl.Client{sasl.NewPlainClient("", "u", "p"), sasl.NewLoginClient("u", "p")} {
		s := begin(t, dir)
		if err := login(t, s.SMTPAddr(), s.CAFile(), auth); err != nil {
			t.Fatal(err)
		}
		all := s.Messages()
		if len(all) != n+1 {
			t.Fatalf("%d messages, want %d", len(all), n+1)
		}
		m := all[n]
		if m.N != n+1 || !m.TLS || !m.Auth || m.From != "from@x.test" || len(m.Rcpts) != 2 || m.Subject != "grün" ||
			!strings.Contains(m.HTML, "<b>hi</b>") || m.Problem != "" {
			t.Errorf("got %+v", m)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if lines, err := ReadIndex(dir); err != nil || len(lines) != 2 {
		t.Errorf("index: %v, %v", lines, err)
	}
}

func TestRefusesLoginWithoutTLSAndWrongPassword(t *testing.T) {
	s := begin(t, t.TempDir())
	c, err := smtp.Dial(s.SMTPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	if err := c.Auth(sasl.NewPlainClient("", "u", "p")); err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("plain text: %v", err)
	}
	if err := c.Mail("a@x.test", nil); err == nil {
		t.Error("let a sender in without a login")
	}
	if err := login(t, s.SMTPAddr(), s.CAFile(), sasl.NewPlainClient("", "u", "wrong")); err == nil {
		t.Error("took a wrong password")
	}
	if len(s.Messages()) != 0 {
		t.Error("recorded something")
	}
}

func TestAcceptThenLoseIsRecordedAsLost(t *testing.T) {
	s := begin(t, t.TempDir())
	if err := s.SetFault(Fault{Mode: AcceptThenLose}); err != nil {
		t.Fatal(err)
	}
	if err := login(t, s.SMTPAddr(), s.CAFile(), sasl.NewPlainClient("", "u", "p")); err != nil {
		t.Fatal(err)
	}
	if len(s.Messages()) != 0 || len(s.Lost()) != 1 {
		t.Errorf("%d kept, %d lost", len(s.Messages()), len(s.Lost()))
	}
	if err := s.SetFault(Fault{Mode: "nonsense"}); err == nil {
		t.Error("took a mode that does not exist")
	}
}

func fetch(t *testing.T, method, url, kind, body string, host string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", kind)
	r.Host = host
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), resp.Header
}

func TestPages(t *testing.T) {
	s := begin(t, t.TempDir())
	if err := login(t, s.SMTPAddr(), s.CAFile(), sasl.NewPlainClient("", "u", "p")); err != nil {
		t.Fatal(err)
	}
	code, page, header := fetch(t, "GET", s.URL()+"mail/1", "", "", "")
	if code != 200 || strings.Contains(page, "<script>") || strings.Count(page, "</iframe>") != 1 ||
		!strings.Contains(page, `sandbox srcdoc="&lt;b&gt;hi`) || !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d, %v:\n%s", code, header, page)
	}
	if code, page, _ := fetch(t, "GET", s.URL(), "", "", ""); code != 200 || !strings.Contains(page, "grün") {
		t.Errorf("list: %d\n%s", code, page)
	}
	for _, tt := range []struct {
		method, path, kind, body, host string
		want                           int
	}{
		{"PUT", "fault", "application/json", `{"mode":"tempfail"}`, "", 200},
		{"PUT", "fault", "text/plain", `{"mode":"ok"}`, "", 415},
		{"PUT", "fault", "application/json", `{"mode":"x"}`, "", 400},
		{"GET", "", "", "", "evil.example", 421},
		{"GET", "mail/2", "", "", "", 404},
		{"GET", "mail/..%2f..%2fetc", "", "", "", 404},
	} {
		if code, page, _ := fetch(t, tt.method, s.URL()+tt.path, tt.kind, tt.body, tt.host); code != tt.want {
			t.Errorf("%+v: got %d, %s", tt, code, page)
		}
	}
	if s.Fault().Mode != TempFail {
		t.Errorf("fault is %s", s.Fault().Mode)
	}
}

func TestListensOnLoopbackOnly(t *testing.T) {
	for _, o := range []Options{{SMTPAddr: "0.0.0.0:0"}, {HTTPAddr: ":0"}, {SMTPAddr: "nonsense"}} {
		o.Dir = t.TempDir()
		if s, err := Start(o); err == nil {
			_ = s.Close()
			t.Errorf("%+v: started", o)
		}
	}
}

// TestSurvivesKill kills the command with mail in it: what was answered with 250 is there.
func TestSurvivesKill(t *testing.T) {
	bin, dir := filepath.Join(t.TempDir(), "mailsink"), t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "./cmd/mailsink").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for n, signal := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		cmd := exec.CommandContext(t.Context(), bin, "--dir", dir, "--user", "u", "--password", "p")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, _ := bufio.NewReader(out).ReadString('\n')
		var first struct{ SMTP, HTTP, CA string }
		if err := json.Unmarshal([]byte(line), &first); err != nil {
			t.Fatalf("first line %q: %v", line, err)
		}
		if err := login(t, first.SMTP, first.CA, sasl.NewPlainClient("", "u", "p")); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Process.Signal(signal)
		if err := cmd.Wait(); (err == nil) != (signal == syscall.SIGTERM) {
			t.Errorf("%v ended with %v", signal, err)
		}
		if lines, err := ReadIndex(dir); err != nil || len(lines) != n+1 || time.Since(lines[n].At) > time.Minute {
			t.Errorf("after %v: %+v, %v", signal, lines, err)
		}
	}
}
