package faults

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"
)

// through writes a kubeconfig of an account that reaches the API server by another address;
// ca is nil if that shows the server's own certificate.
func (h *house) through(from, server string, ca []byte) string {
	h.t.Helper()
	c, err := clientcmd.LoadFromFile(from)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, cluster := range c.Clusters {
		cluster.Server = server
		if ca != nil {
			cluster.CertificateAuthorityData = ca
		}
	}
	to := filepath.Join(h.dir, "through.kubeconfig")
	if err := clientcmd.WriteToFile(*c, to); err != nil {
		h.t.Fatal(err)
	}
	return to
}

// line passes bytes to the API server until it is cut.
type line struct {
	t        *testing.T
	at, to   string
	mu       sync.Mutex
	listener net.Listener
	conns    []net.Conn
}

func newLine(t *testing.T, to string) *line {
	t.Helper()
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	l := &line{t: t, at: "127.0.0.1:0", to: u.Host}
	l.mend()
	t.Cleanup(l.cut)
	return l
}

func (l *line) url() string { return "https://" + l.at }

// mend listens, at the same address as before.
func (l *line) mend() {
	l.t.Helper()
	listener, err := net.Listen("tcp", l.at)
	if err != nil {
		l.t.Fatal(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.listener, l.at = listener, listener.Addr().String()
	go l.serve(listener)
}

// cut refuses connections, and closes those that are open.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.listener.Close()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func (l *line) serve(listener net.Listener) {
	for {
		near, err := listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", l.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		l.mu.Lock()
		l.conns = append(l.conns, near, far)
		l.mu.Unlock()
		go func() { _, _ = io.Copy(far, near); _ = far.Close() }()
		go func() { _, _ = io.Copy(near, far); _ = near.Close() }()
	}
}

// shifted stands before the API server and answers with a Date that is off.
func shifted(t *testing.T, p plane, by func() time.Duration) *httptest.Server {
	t.Helper()
	to, err := url.Parse(p.Cluster.URL())
	if err != nil {
		t.Fatal(err)
	}
	ca, err := p.Cluster.CA()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	proxy := &httputil.ReverseProxy{FlushInterval: -1, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}},
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(r *http.Response) error {
			r.Header.Set("Date", time.Now().Add(by()).UTC().Format(http.TimeFormat))
			return nil
		}}
	s := httptest.NewTLSServer(proxy)
	t.Cleanup(s.Close)
	return s
}
