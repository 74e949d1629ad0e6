package chart

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/tools/devpki"
)

// guardHost is how readers call the exposed pages; its certificate is of a test's authority.
const guardHost = "guard.stage.example"

// storyExposed goes beside config: the pages for others, with TLS, a login, and metrics behind it.
const storyExposed = `
report: {expose: true, url: "https://guard.stage.example", tlsSecret: guard-tls}
networkPolicy: {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}]}
metrics:
  from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
  serviceMonitor: {enabled: true, tokenSecret: {name: prometheus-token}}
`

// storyReaders are who comes: one who may view the shop, one who may nothing, and a scraper.
const storyReaders = `apiVersion: v1
kind: ServiceAccount
metadata: {name: ada, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: eve, namespace: shop}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: scraper, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: ada, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: ada, namespace: shop}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: scraper}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: view}
subjects: [{kind: ServiceAccount, name: scraper, namespace: shop}]
`

// TestPagesOfOnePod is the embedded pod with its pages exposed.
func TestPagesOfOnePod(t *testing.T) {
	s := newStory(t, storyValues+storyExposed)
	p := s.pod("k8guard", freeAddress(t))
	s.until("the pod is ready", 2*time.Minute, p.ready)
	s.apply(bad)
	s.until("something of the shop is acted on", 2*time.Minute, func() (string, bool) {
		out, err := p.exec("cases", "--status", "acted", "-o", "json")
		return fmt.Sprint(out, err, p.tail()), strings.Contains(out, `"namespace":"shop"`)
	})
	s.readers()
	s.reads(p)
	p.stop()
}

// certified makes the Secret of the pages' certificate.
func (s *story) certified() {
	authority, err := devpki.New(time.Now)
	must(s.t, err)
	pair, err := authority.Server("guard", guardHost)
	must(s.t, err)
	for name, text := range map[string][]byte{"tls.crt": pair.Cert, "tls.key": pair.Key} {
		must(s.t, os.WriteFile(filepath.Join(s.dir, name), text, 0o600))
	}
	s.kubectl("-n", "k8guard", "create", "secret", "tls", "guard-tls", "--cert="+filepath.Join(s.dir, "tls.crt"), "--key="+filepath.Join(s.dir, "tls.key"))
	s.authority = x509.NewCertPool()
	s.authority.AppendCertsFromPEM(authority.PEM())
}

// readers makes the accounts, and asks for a token of each.
func (s *story) readers() {
	s.t.Helper()
	s.apply(storyReaders)
	s.tokens = map[string]string{}
	for _, name := range []string{"ada", "eve", "scraper"} {
		token, err := s.client.CoreV1().ServiceAccounts("shop").CreateToken(s.t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
		must(s.t, err)
		s.tokens[name] = token.Status.Token
	}
}

// reader comes by the name of the pages to one pod, and trusts the test's authority.
func (s *story) reader(p *pod) *http.Client {
	jar, err := cookiejar.New(nil)
	must(s.t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.authority, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, p.listens)
		}}
	s.t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Jar: jar, Timeout: time.Minute, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// answer is what came back.
type answer struct {
	code           int
	location, body string
}

func (s *story) ask(c *http.Client, method, path, token string, form url.Values) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, "https://"+guardHost+path, strings.NewReader(form.Encode()))
	must(s.t, err)
	r.Header.Set("Accept", "text/html")
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "https://"+guardHost)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Accept", "application/json")
	}
	resp, err := c.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	must(s.t, err)
	return answer{resp.StatusCode, resp.Header.Get("Location"), string(body)}
}

// aCase begins the link to a case, wherever one is listed.
const aCase = `href="/cases/`

// reads asks the exposed pages as a stranger, as readers with and without rights, and as a scraper.
func (s *story) reads(p *pod) {
	t := s.t
	t.Helper()
	stranger := s.reader(p)
	if a := s.ask(stranger, "GET", "/cases", "", nil); a.code != http.StatusSeeOther || a.location != "/login?next=%2Fcases" {
		t.Errorf("a stranger's browser: %+v", a)
	}
	if a := s.ask(stranger, "GET", "/api/v1/cases", "", nil); a.code == http.StatusOK {
		t.Errorf("a stranger reads the API: %+v", a)
	}
	if a := s.ask(stranger, "GET", "/api/v1/cases", s.tokens["ada"]+"x", nil); a.code != http.StatusUnauthorized || strings.Contains(a.body, "shop") {
		t.Errorf("a forged token: %+v", a)
	}
	if a := s.ask(stranger, "POST", "/login", "", url.Values{"token": {"nobody's"}}); a.code != http.StatusUnauthorized {
		t.Errorf("a login with a forged token: %+v", a)
	}
	ada := s.reader(p)
	if a := s.ask(ada, "POST", "/login", "", url.Values{"token": {s.tokens["ada"]}, "next": {"/cases"}}); a.code != http.StatusSeeOther || a.location != "/cases" {
		t.Errorf("ada logs in: %+v", a)
	}
	if a := s.ask(ada, "GET", "/cases", "", nil); a.code != http.StatusOK || !strings.Contains(a.body, aCase) {
		t.Errorf("ada reads the shop's cases: %+v", a)
	}
	eve := s.reader(p)
	if a := s.ask(eve, "POST", "/login", "", url.Values{"token": {s.tokens["eve"]}, "next": {"/cases"}}); a.code != http.StatusSeeOther {
		t.Errorf("eve logs in: %+v", a)
	}
	if a := s.ask(eve, "GET", "/cases", "", nil); a.code != http.StatusOK || strings.Contains(a.body, aCase) {
		t.Errorf("eve, who may nothing, reads: %+v", a)
	}
	s.plain(p)
	s.scrapes(p)
}

// plain wants that nothing is said to who does not encrypt, or does not know the authority.
func (s *story) plain(p *pod) {
	s.t.Helper()
	for _, address := range []string{"http://" + p.listens, "https://" + p.listens} {
		r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, address+"/cases", nil)
		must(s.t, err)
		resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil {
			continue
		}
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			s.t.Errorf("%s: %s", address, resp.Status)
		}
	}
}

// scrapes wants metrics for who may see all namespaces, and for nobody else; a kubelet is asked for no token.
func (s *story) scrapes(p *pod) {
	s.t.Helper()
	c := s.reader(p)
	for _, q := range []struct {
		path, token string
		code        int
	}{{"/metrics", "", 401}, {"/metrics", s.tokens["ada"], 403}, {"/metrics", s.tokens["scraper"], 200}, {"/healthz", "", 200}, {"/readyz", "", 200}} {
		r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "https://"+guardHost+q.path, nil)
		must(s.t, err)
		if q.token != "" {
			r.Header.Set("Authorization", "Bearer "+q.token)
		}
		resp, err := c.Do(r)
		if err != nil {
			s.t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != q.code {
			s.t.Errorf("%s: %s %d, want %d", p.root, q.path, resp.StatusCode, q.code)
		}
	}
}
