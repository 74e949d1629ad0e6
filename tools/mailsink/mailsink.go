// Package mailsink is a mail server that keeps what it is sent and fails on demand.
//
// Purpose: to judge, from outside, what a sender of mail really did: over real TLS and
// AUTH, with the faults that real servers show (see [Fault]).
//
// Concurrency: a [Sink] may be used from many goroutines.
//
// Guarantees: a message is on disk, and its line in index.jsonl behind it, both synced,
// before the sender reads 250; numbers rise without gaps, also over a restart in the same
// folder. It listens on loopback only. AUTH is refused before TLS.
//
// It will not: deliver, relay or delete anything.
package mailsink

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/emersion/go-smtp"
)

// Options say where a sink lies and listens.
type Options struct {
	Dir      string           // holds NNNN.eml, index.jsonl and ca.pem; made when missing
	SMTPAddr string           // loopback; empty is 127.0.0.1 and a free port
	HTTPAddr string           // loopback; empty is 127.0.0.1 and a free port
	User     string           // empty lets everybody send
	Password string           // of User
	Now      func() time.Time // nil is the machine's clock
	Mechs    []string         // of AUTH: PLAIN, LOGIN, CRAM-MD5; empty is the first two
	Implicit bool             // TLS from the first byte
	NoTLS    bool             // no STARTTLS is offered
	Expired  bool             // the certificate's time is over
}

// Sink is a running server.
type Sink struct {
	opts     Options
	store    *store
	smtp     *smtp.Server
	http     *http.Server
	mail     net.Listener
	smtpAddr string
	httpAddr string
	done     chan struct{}
	wait     sync.WaitGroup

	mu    sync.Mutex
	fault Fault
}

// Start opens both doors. An address that is not loopback is an error.
func Start(opts Options) (*Sink, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	st, err := openStore(opts.Dir)
	if err != nil {
		return nil, err
	}
	s := &Sink{opts: opts, store: st, done: make(chan struct{}), fault: Fault{Mode: OK}}
	if err := s.listen(); err != nil {
		return nil, errors.Join(err, st.close())
	}
	return s, nil
}

func (s *Sink) listen() error {
	tlsConfig, err := newTLS(s.CAFile(), s.certTime())
	if err != nil {
		return err
	}
	mail, err := loopback(s.opts.SMTPAddr)
	if err != nil {
		return err
	}
	web, err := loopback(s.opts.HTTPAddr)
	if err != nil {
		return errors.Join(err, mail.Close())
	}
	s.mail = mail
	s.smtpAddr, s.httpAddr = mail.Addr().String(), web.Addr().String()
	s.smtp = smtp.NewServer(smtp.BackendFunc(s.session))
	s.smtp.Domain = "mailsink.test"
	if !s.opts.NoTLS && !s.opts.Implicit {
		s.smtp.TLSConfig = tlsConfig
	}
	s.smtp.MaxMessageBytes = 16 << 20
	s.smtp.MaxRecipients = 1000
	s.smtp.ReadTimeout, s.smtp.WriteTimeout = time.Minute, time.Minute
	s.smtp.ErrorLog = log.New(io.Discard, "", 0)
	s.http = &http.Server{Handler: s.pages(), ReadHeaderTimeout: 10 * time.Second}
	var front net.Listener = &door{Listener: mail, sink: s}
	if s.opts.Implicit {
		front = tls.NewListener(front, tlsConfig)
	}
	s.wait.Go(func() { _ = s.smtp.Serve(front) })
	s.wait.Go(func() { _ = s.http.Serve(web) })
	return nil
}

// certTime is when the certificate was made, which lasts a year.
func (s *Sink) certTime() time.Time {
	if s.opts.Expired {
		return s.opts.Now().AddDate(-2, 0, 0)
	}
	return s.opts.Now()
}

func loopback(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("mail sink: address %q: write it as host:port: %w", addr, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("mail sink: address %q is not a loopback address: use 127.0.0.1", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("mail sink: listen: %w", err)
	}
	return l, nil
}

// SMTPAddr is where mail is taken, host:port.
func (s *Sink) SMTPAddr() string { return s.smtpAddr }

// URL is the page's.
func (s *Sink) URL() string { return "http://" + s.httpAddr + "/" }

// CAFile is the path of the certificate to trust.
func (s *Sink) CAFile() string { return filepath.Join(s.opts.Dir, "ca.pem") }

// Close ends all sessions and waits for them; what was recorded stays.
func (s *Sink) Close() error {
	select {
	case <-s.done:
		return nil
	default:
	}
	close(s.done)
	err := errors.Join(s.smtp.Close(), s.http.Close())
	_ = s.mail.Close() // for a server that had not begun to serve; else it is closed already
	s.wait.Wait()
	return errors.Join(err, s.store.close())
}
