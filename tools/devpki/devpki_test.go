package devpki

import (
	"crypto/tls"
	"crypto/x509"
	"testing"
	"time"
)

func TestCertificatesSayWhoAndHoldForWhat(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ca, err := New(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	server := parsed(t)(ca.Server("kube-apiserver", "10.0.0.1", "kubernetes.default.svc"))
	client := parsed(t)(ca.Client("jo", "one", "two"))
	if client.Subject.CommonName != "jo" || len(client.Subject.Organization) != 2 {
		t.Errorf("the client is %v", client.Subject)
	}
	for name, c := range map[string]struct {
		cert *x509.Certificate
		by   *Authority
		host string
		use  x509.ExtKeyUsage
		at   time.Time
		ok   bool
	}{
		"server":               {server, ca, "127.0.0.1", x509.ExtKeyUsageServerAuth, now, true},
		"server by address":    {server, ca, "10.0.0.1", x509.ExtKeyUsageServerAuth, now, true},
		"server by name":       {server, ca, "kubernetes.default.svc", x509.ExtKeyUsageServerAuth, now, true},
		"server of other host": {server, ca, "127.0.0.2", x509.ExtKeyUsageServerAuth, now, false},
		"of other authority":   {server, other, "127.0.0.1", x509.ExtKeyUsageServerAuth, now, false},
		"client":               {client, ca, "", x509.ExtKeyUsageClientAuth, now, true},
		"client as server":     {client, ca, "", x509.ExtKeyUsageServerAuth, now, false},
		"too late":             {client, ca, "", x509.ExtKeyUsageClientAuth, now.Add(lifetime), false},
		"at the end":           {client, ca, "", x509.ExtKeyUsageClientAuth, now.Add(lifetime - time.Hour), true},
	} {
		t.Run(name, func(t *testing.T) {
			roots := x509.NewCertPool()
			if !roots.AppendCertsFromPEM(c.by.pem) {
				t.Fatal("the authority's certificate is not PEM")
			}
			_, err := c.cert.Verify(x509.VerifyOptions{
				Roots: roots, DNSName: c.host, CurrentTime: c.at, KeyUsages: []x509.ExtKeyUsage{c.use},
			})
			if (err == nil) != c.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func parsed(t *testing.T) func(Pair, error) *x509.Certificate {
	return func(p Pair, err error) *x509.Certificate {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		both, err := tls.X509KeyPair(p.Cert, p.Key) // the key must be the certificate's
		if err != nil {
			t.Fatal(err)
		}
		return both.Leaf
	}
}
