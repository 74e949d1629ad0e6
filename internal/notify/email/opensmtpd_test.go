//go:build linux

package email

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
)

// Debian's OpenSMTPD takes our mail and delivers it. Its spool and its socket lie at paths that
// are compiled in, so it runs in a mount namespace of its own, where they are folders of the
// test; that, and its users, need root.
//
// Without TLS: the TLS of Debian 12's package (6.8.0p2 with OpenSSL 3) ends each handshake with
// "missing private key", for RSA and EC keys alike. TestVariantsOfTLSAndAuth covers TLS.
func TestOpenSMTPDDelivers(t *testing.T) {
	conf, dir := openSMTPD(t)
	digest := notifytest.Hostile("notice/email/1", []string{"shop@example.com", "ops@example.com", "a@evil.example"})
	out := channel(t, conf).Send(t.Context(), digest)
	if out.State != notify.Confirmed || len(out.Accepted) != 2 || len(out.Refused) != 1 {
		t.Fatalf("got %+v", out)
	}
	for i, raw := range delivered(t, dir, 2) {
		head, text, page, err := judged(raw)
		if err != nil {
			t.Fatalf("mail %d: %v\n%s", i, err, raw)
		}
		if e := foreign(page); e != "" || !strings.Contains(text, "Warnings") || head.Get(HeaderNotice) != "notice/email/1" || head.Get("Bcc") != "" {
			t.Errorf("mail %d: %s %v", i, e, head)
		}
	}
}

// openSMTPD starts the server on a free port and returns the way to it, and its mailbox.
func openSMTPD(t *testing.T) (config.Email, string) {
	t.Helper()
	if _, err := exec.LookPath("smtpctl"); err != nil || os.Geteuid() != 0 {
		t.Skip("needs root and Debian's opensmtpd (apt-get install opensmtpd; make mailserver does it in a container)")
	}
	dir, err := os.MkdirTemp("/tmp", "k8guard-opensmtpd-") //nolint:usetesting // its users must reach it
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	must(t, os.Chmod(dir, 0o755))
	for _, sub := range []string{"spool", "run", "mail"} {
		must(t, os.Mkdir(filepath.Join(dir, sub), 0o755))
	}
	must(t, os.Chmod(filepath.Join(dir, "mail"), 0o777))
	port := freePort(t)
	must(t, os.WriteFile(filepath.Join(dir, "smtpd.conf"), fmt.Appendf(nil, `listen on 127.0.0.1 port %d hostname "localhost"
action "keep" maildir "%s/mail" virtual { "@" = nobody }
match from any for any action "keep"
`, port, dir), 0o600))
	launch(t, dir, port)
	return config.Email{Host: "127.0.0.1", Port: port, TLS: "none", From: "guard@example.com", Domains: []string{"example.com"}}, dir
}

func launch(t *testing.T, dir string, port int) {
	t.Helper()
	if out, err := exec.Command("unshare", "-m", "true").CombinedOutput(); err != nil {
		t.Skipf("no mount namespace of its own for OpenSMTPD here: %v %s", err, out)
	}
	var log bytes.Buffer
	c := exec.Command("unshare", "-m", "sh", "-c", `mount --bind "$1/spool" /var/spool && mount --bind "$1/run" /run && exec smtpd -d -f "$1/smtpd.conf"`, "sh", dir)
	c.Stdout, c.Stderr, c.WaitDelay = &log, &log, 10*time.Second
	must(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Signal(syscall.SIGTERM) // its children end with it
		_ = c.Wait()
		if t.Failed() {
			t.Logf("smtpd said:\n%s", log.String())
		}
	})
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		line, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			_ = line.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatalf("OpenSMTPD does not listen: %v", err)
		}
	}
}

// delivered waits for mails in the maildir.
func delivered(t *testing.T, dir string, want int) (mails [][]byte) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		files, err := filepath.Glob(filepath.Join(dir, "mail", "new", "*"))
		must(t, err)
		if len(files) < want && time.Now().Before(end) {
			continue
		}
		if len(files) != want {
			t.Fatalf("%d mails were delivered, want %d", len(files), want)
		}
		for _, file := range files {
			raw, err := os.ReadFile(file)
			must(t, err)
			mails = append(mails, raw)
		}
		return mails
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
