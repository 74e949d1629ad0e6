package telemetry_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/k8guard/k8guard/internal/telemetry"
)

type answers struct {
	status int
	err    error
}

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	if a.err != nil {
		return nil, a.err
	}
	return &http.Response{StatusCode: a.status, Body: http.NoBody}, nil
}

// A request is counted by what it asks for, and never by a name that somebody chose.
func TestCallsToTheAPI(t *testing.T) {
	for _, c := range []struct {
		method, path, verb, kind string
	}{
		{"GET", "/api/v1/namespaces/kube-system", "get", "Namespace"},
		{"GET", "/api/v1/namespaces", "list", "Namespace"},
		{"GET", "/api/v1/pods?watch=true&allowWatchBookmarks=true", "watch", "Pod"},
		{"GET", "/apis/apps/v1/deployments?limit=500", "list", "Deployment"},
		{"GET", "/clusters/c-api/k8s/apis/apps/v1/namespaces/shop/deployments/web", "get", "Deployment"},
		{"PUT", "/apis/apps/v1/namespaces/shop/deployments/web/scale", "update", "Deployment"},
		{"PUT", "/api/v1/namespaces/shop/finalize", "update", "Namespace"},
		{"PATCH", "/apis/batch/v1/namespaces/shop/cronjobs/nightly", "patch", "CronJob"},
		{"DELETE", "/apis/networking.k8s.io/v1/namespaces/pods/ingresses/pods", "delete", "Ingress"},
		{"DELETE", "/apis/networking.k8s.io/v1/namespaces/shop/ingresses", "deletecollection", "Ingress"},
		{"POST", "/apis/authentication.k8s.io/v1/tokenreviews", "create", "TokenReview"},
		{"GET", "/apis/evil.example.com/v1/namespaces/shop/hostile%0A\"things", "list", "other"},
		{"GET", "/apis", "get", "other"}, {"GET", "/version", "get", "other"}, {"GET", "", "get", "other"},
		{"HOSTILE", "/api/v1/pods", "other", "Pod"},
	} {
		if got := counted(t, c.method, c.path, answers{status: 200}); got != `{account="discover",code="2xx",kind="`+c.kind+`",verb="`+c.verb+`"}` {
			t.Errorf("%s %s: %s", c.method, c.path, got)
		}
	}
}

func TestHowACallEnded(t *testing.T) {
	for want, a := range map[string]answers{"2xx": {status: 201}, "403": {status: 403}, "404": {status: 404}, "409": {status: 409}, "429": {status: 429},
		"4xx": {status: 422}, "5xx": {status: 503}, "error": {err: errors.New("reset")}} {
		if got := counted(t, "GET", "/api/v1/pods", a); !strings.Contains(got, `code="`+want+`"`) {
			t.Errorf("%+v: %s", a, got)
		}
	}
	if got := counted(t, "GET", "/api/v1/pods", answers{status: 777}); !strings.Contains(got, `code="error"`) {
		t.Errorf("no status of HTTP: %s", got)
	}
}

// counted is the labels under which one request was counted.
func counted(t *testing.T, method, path string, a answers) string {
	t.Helper()
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	calls, registry := telemetry.NewCalls(), prometheus.NewPedanticRegistry()
	registry.MustRegister(calls)
	resp, err := calls.Of("discover")(a).RoundTrip(&http.Request{Method: method, URL: u})
	if !errors.Is(err, a.err) {
		t.Errorf("the error came as %v", err)
	}
	if err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != a.status {
			t.Errorf("the answer was altered: %d", resp.StatusCode)
		}
	}
	if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
		t.Errorf("%v, %v", problems, err)
	}
	families, err := registry.Gather()
	if err != nil || len(families) != 2 {
		t.Fatalf("%d families, %v", len(families), err)
	}
	var labels []string
	for _, l := range families[1].GetMetric()[0].GetLabel() {
		labels = append(labels, l.GetName()+`="`+l.GetValue()+`"`)
	}
	if n := families[0].GetMetric()[0].GetHistogram().GetSampleCount(); n != 1 {
		t.Errorf("timed %d times", n)
	}
	return "{" + strings.Join(labels, ",") + "}"
}

// Without a registry nothing is counted, and nothing is in the way.
func TestNilCalls(t *testing.T) {
	var calls *telemetry.Calls
	resp, err := calls.Of("action")(answers{status: 204}).RoundTrip(&http.Request{Method: "GET", URL: &url.URL{Path: "/version"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 204 {
		t.Errorf("%d", resp.StatusCode)
	}
}

func TestRuleCost(t *testing.T) {
	rules := telemetry.NewRules([]string{"A", "B"}, time.Now)
	rules.Took("A", time.Millisecond)
	rules.Took("HOSTILE", time.Hour)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(rules)
	families, err := registry.Gather()
	if err != nil || len(families) != 1 || len(families[0].GetMetric()) != 2 {
		t.Fatalf("%v, %v", families, err)
	}
	h := families[0].GetMetric()[0].GetHistogram()
	if h.GetSampleCount() != 1 || h.GetSampleSum() != 0.001 || h.Schema == nil || len(h.GetBucket()) != 6 {
		t.Errorf("%v", h)
	}
}
