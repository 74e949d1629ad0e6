package app

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// lookAgain is how long a certificate is used before its files are looked at again.
const lookAgain = 10 * time.Second

// certificate is what the two files hold; when they change it follows, and a pair that does
// not fit, as one half written, leaves the last good one.
type certificate struct {
	files config.TLS
	log   *slog.Logger
	now   func() time.Time

	mu        sync.Mutex
	looked    time.Time
	text      [2][]byte
	lastError string
	pair      *tls.Certificate
}

// encrypted puts TLS on the listener where a certificate is configured.
func encrypted(l net.Listener, c config.Report, log *slog.Logger, now func() time.Time) (net.Listener, error) {
	if !c.Encrypted() {
		return l, nil
	}
	cert := &certificate{files: c.TLS, log: log, now: now}
	if err := cert.read(); err != nil {
		return nil, fmt.Errorf("report.tls: %w; write the files of one certificate and its key", err)
	}
	cert.looked = now()
	return tls.NewListener(l, &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}, GetCertificate: cert.get}), nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.looked).Abs() >= lookAgain {
		c.looked = now
		said := ""
		if err := c.read(); err != nil {
			said = err.Error()
		}
		if said != "" && said != c.lastError {
			c.log.Error("the new certificate was not taken over; the last good one stays", "err", said, "next", "mend report.tls.certFile and keyFile")
		}
		c.lastError = said
	}
	return c.pair, nil
}

func (c *certificate) read() error {
	cert, err := os.ReadFile(c.files.CertFile)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(c.files.KeyFile)
	if err != nil {
		return err
	}
	if c.pair != nil && bytes.Equal(cert, c.text[0]) && bytes.Equal(key, c.text[1]) {
		return nil
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return err
	}
	c.pair, c.text = &pair, [2][]byte{cert, key}
	return nil
}
