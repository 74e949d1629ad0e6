package config

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
)

// Load makes the client's half of TLS from the files that are named; nil where it is off. Key
// is that of the group, for errors.
func (t ClientTLS) Load(key string) (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil //nolint:nilnil // off
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		text, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%s.caFile: %w", key, err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s.caFile: %s holds no certificate; write a file in PEM", key, t.CAFile)
		}
	}
	if t.CertFile != "" {
		own, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("%s.certFile and keyFile: %w", key, err)
		}
		c.Certificates = []tls.Certificate{own}
	}
	return c, nil
}

// OrFile reveals what the file holds, or the secret itself where no file is named. Key is the
// file's, for errors.
func (s Secret) OrFile(key, file string) (string, error) {
	if file == "" {
		return s.Reveal(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}
