package app_test

import (
	"io"
	"log/slog"
	"net/http"
	"path"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
)

// reviews lets the stub say who readers are: the token is the name, and "auditor" sees all.
func (c *cluster) reviews(w http.ResponseWriter, r *http.Request) bool {
	name := path.Base(r.URL.Path)
	if r.Method != http.MethodPost || name != "tokenreviews" && name != "subjectaccessreviews" {
		return false
	}
	body, _ := io.ReadAll(r.Body)
	asked, _, err := scheme.Codecs.UniversalDeserializer().Decode(body, nil, nil)
	if err != nil {
		status(w, http.StatusBadRequest, "BadRequest")
		return true
	}
	switch review := asked.(type) {
	case *authenticationv1.TokenReview:
		review.APIVersion, review.Kind = "authentication.k8s.io/v1", "TokenReview"
		review.Status.Authenticated = review.Spec.Token == "auditor" || review.Spec.Token == "tenant"
		review.Status.User.Username = review.Spec.Token
	case *authorizationv1.SubjectAccessReview:
		review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SubjectAccessReview"
		review.Status.Allowed = review.Spec.User == "auditor"
	}
	send(w, http.StatusCreated, asked)
	return true
}

func codeOf(t *testing.T, url, token string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	must(t, err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	must(t, resp.Body.Close())
	return resp.StatusCode
}

// The same guard stands before every target, and before the first system's routes.
func TestALoginBeforeEveryTarget(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	s.Config.Report.Login = config.LoginToken
	in := run(t, s, seen)
	defer func() { must(t, in.stop()) }()
	alone := s
	open := &lines{Handler: seen.Handler, address: make(chan string, 1), retries: seen.retries}
	alone.Log, alone.Config.Report.OpenMetrics = slog.New(open), true
	discover := serve(t, app.Discover, alone, open)
	pages := alone
	other := &lines{Handler: seen.Handler, address: make(chan string, 1), retries: seen.retries}
	pages.Log = slog.New(other)
	report := serve(t, app.Report, pages, other)
	for _, url := range []string{in.url, discover} {
		for end := time.Now().Add(patience); codeOf(t, url+"/readyz", "") != http.StatusOK; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s is never ready", url)
			}
		}
	}
	type row struct {
		url            string
		nobody, tenant int
		auditor, wrong int
	}
	table := []row{
		{in.url + "/cases", 401, 200, 200, 401}, {in.url + "/metrics", 401, 403, 200, 401}, {in.url + "/healthz", 200, 200, 200, 200},
		{in.url + "/readyz", 200, 200, 200, 200}, {in.url + "/version", 401, 403, 200, 401},
		{in.url + "/config", 401, 403, 200, 401}, {in.url + "/style.css", 200, 200, 200, 200},
		{discover + "/healthz", 200, 200, 200, 200}, {discover + "/metrics", 200, 200, 200, 200}, {discover + "/config", 401, 403, 200, 401}, {discover + "/version", 401, 403, 200, 401},
		{report + "/cases", 401, 200, 200, 401}, {report + "/api/v1/status", 401, 200, 200, 401}, {report + "/healthz", 200, 200, 200, 200},
	}
	for _, first := range []string{"/namespaces", "/deploys", "/daemonsets", "/podswo", "/ingresses", "/jobs", "/cronjobs"} {
		table = append(table, row{in.url + first, 401, 403, 200, 401}, row{discover + first, 401, 403, 200, 401})
	}
	for _, q := range table {
		for token, want := range map[string]int{"": q.nobody, "tenant": q.tenant, "auditor": q.auditor, "wrong": q.wrong} {
			got := codeOf(t, q.url, token)
			if got != want {
				t.Errorf("%s by %q: %d, want %d", strings.TrimPrefix(q.url, "http://"), token, got, want)
			}
		}
	}
	if code, text := ask(t, over(app.Socket(s.Config)), http.MethodGet, "http://localhost/api/v1/cases", ""); code != http.StatusOK {
		t.Errorf("the socket asks nobody: %d %s", code, text)
	}
}

// TestReadinessIsOpenAndItsReasonsAreNot: the kubelet has no token.
func TestReadinessIsOpenAndItsReasonsAreNot(t *testing.T) {
	c := newCluster(t)
	c.denied["ingresses"] = true
	s, seen := settings(t, c.URL)
	s.Config.Report.Login = config.LoginToken
	in := run(t, s, seen)
	defer func() { must(t, in.stop()) }()
	asked := func(token string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, in.url+"/readyz", http.NoBody)
		must(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(r)
		must(t, err)
		text, err := io.ReadAll(resp.Body)
		must(t, err)
		must(t, resp.Body.Close())
		return resp.StatusCode, string(text)
	}
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		if _, text := asked("auditor"); strings.Contains(text, "Ingress") {
			break
		} else if time.Now().After(end) {
			t.Fatalf("who sees all is told %q", text)
		}
	}
	for _, token := range []string{"", "wrong", "tenant"} {
		if code, text := asked(token); code != http.StatusServiceUnavailable || strings.Contains(text, "Ingress") {
			t.Errorf("%q is told %d %s", token, code, text)
		}
	}
	if _, text := ask(t, over(app.Socket(s.Config)), http.MethodGet, "http://localhost/readyz", ""); !strings.Contains(text, "Ingress") {
		t.Errorf("the socket says %s", text)
	}
}

// TestAReportWaitsForItsCluster starts one while the API server is down.
func TestAReportWaitsForItsCluster(t *testing.T) {
	c := newCluster(t)
	s, seen := settings(t, c.URL)
	s.Config.Report.Login = config.LoginToken
	must(t, run(t, s, seen).stop()) // it leaves a ledger
	c.refuse(true)
	for len(seen.retries) > 0 {
		<-seen.retries
	}
	go func() {
		<-seen.retries
		c.refuse(false)
	}()
	if code := codeOf(t, serve(t, app.Report, s, seen)+"/cases", "tenant"); code != http.StatusOK {
		t.Error(code)
	}
}
