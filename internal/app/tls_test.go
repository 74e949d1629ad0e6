package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// issue writes a certificate with the number, and its key.
func issue(t *testing.T, files config.TLS, number int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	made := x509.Certificate{SerialNumber: big.NewInt(number), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), DNSNames: []string{"localhost"}}
	der, err := x509.CreateCertificate(rand.Reader, &made, &made, &key.PublicKey, key)
	check(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	check(t, os.WriteFile(files.CertFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	check(t, os.WriteFile(files.KeyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestACertificateIsReadAgain(t *testing.T) {
	dir, now, log := t.TempDir(), time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), &bytes.Buffer{}
	files := config.TLS{CertFile: filepath.Join(dir, "c"), KeyFile: filepath.Join(dir, "k")}
	c := &certificate{files: files, log: slog.New(slog.NewTextHandler(log, nil)), now: func() time.Time { return now }}
	number := func(want int64) {
		t.Helper()
		got, err := c.get(&tls.ClientHelloInfo{})
		if err != nil || got.Leaf.SerialNumber.Int64() != want {
			t.Fatalf("number %v, want %d (%v)", got.Leaf.SerialNumber, want, err)
		}
	}
	if _, err := encrypted(nil, config.Report{TLS: files}, c.log, c.now); err == nil || !strings.Contains(err.Error(), "report.tls") {
		t.Errorf("no file: %v", err)
	}
	issue(t, files, 1)
	number(1)
	issue(t, files, 2)
	number(1) // it was looked at a moment ago
	now = now.Add(11 * time.Second)
	number(2)
	check(t, os.WriteFile(files.KeyFile, []byte("half"), 0o600))
	for range 3 {
		now = now.Add(11 * time.Second)
		number(2)
	}
	if n := strings.Count(log.String(), "the last good one stays"); n != 1 {
		t.Errorf("said %d times: %s", n, log)
	}
	issue(t, files, 3)
	now = now.Add(11 * time.Second)
	number(3)
}

// A new configuration opens no door: the address is the old one's, so the login is, too.
func TestAReloadKeepsTheLoginOfAnAddressThatOthersReach(t *testing.T) {
	was, next := config.Default(), config.Default()
	was.Report.Listen, was.Report.Login, was.Report.TLS.Mode, was.Report.URL = "0.0.0.0:8686", config.LoginToken, config.TLSOff, "https://guard.example.com"
	h := &house{Settings: Settings{Config: was, Log: slog.New(slog.DiscardHandler)}}
	if got := h.kept(next).Report; got.Listen != was.Report.Listen || got.Login != config.LoginToken || got.TLS != was.Report.TLS {
		t.Errorf("%+v", got)
	}
	next.Report.Login = config.LoginToken // by itself it would pass: without a url the cookie would not be Secure
	if got := h.kept(next).Report; got.URL != was.Report.URL {
		t.Errorf("%+v", got)
	}
}
