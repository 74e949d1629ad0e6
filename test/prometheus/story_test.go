package prometheus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/dashboards"
	"github.com/k8guard/k8guard/tools/stage"
	"github.com/k8guard/k8guard/tools/stage/stagetest"
)

// objects are a namespace in which K8Guard may act, and one in which it only tells.
const objects = `apiVersion: v1
kind: Namespace
metadata: {name: shop, annotations: {team/email-ids: ada@stage.example}}
---
apiVersion: v1
kind: Namespace
metadata: {name: bank, annotations: {team/email-ids: bob@stage.example}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: all, namespace: bank}
spec:
  defaultBackend: {service: {name: all, port: {number: 80}}}
`

// scene is K8Guard's targets over one cluster, and who scrapes them.
type scene struct {
	*stage.Stage
	targets map[string]string // addresses by name
	server  *server
	run     *stage.Process
}

// quick is a ladder of seconds, and a breaker that one undo opens.
func quick(c *config.Config) {
	c.Discover.Resync = 3 * time.Second
	c.Notify.Gather, c.Notify.Gap = 300*time.Millisecond, 300*time.Millisecond
	for i := range c.Policies {
		c.Policies[i].Ladder = config.Ladder{Standing: 500 * time.Millisecond, Warnings: 2, Wait: time.Second, LastWait: time.Second}
	}
	c.Enforce.Budget.Round, c.Enforce.Breaker.UndosPerHour = 500*time.Millisecond, 1
}

// newScene starts the control plane, the targets and Prometheus.
func newScene(t *testing.T) *scene {
	t.Helper()
	s := stagetest.New(t, stage.Options{Enforce: []string{"shop"}, Progress: t.Output(), Change: quick})
	p, err := s.Run(t.Context())
	must(t, err)
	must(t, s.WaitReady(t.Context(), p))
	sc := &scene{Stage: s, run: p, targets: map[string]string{"run": s.Config.Report.Listen}}
	sc.beside(t, "discover", func(*config.Config) {})
	sc.beside(t, "report", func(c *config.Config) { c.Data.Dir = s.Config.Data.Dir })
	sc.server = start(t, sc.config(t, "1s"))
	return sc
}

// beside runs another target on the same cluster.
func (s *scene) beside(t *testing.T, target string, change func(*config.Config)) {
	t.Helper()
	guest, err := s.Beside(stage.Options{Dir: filepath.Join(filepath.Dir(s.ConfigFile()), target), Enforce: []string{"shop"}, Change: func(c *config.Config) {
		quick(c)
		change(c)
	}})
	must(t, err)
	t.Cleanup(func() {
		if err := guest.Stop(); err != nil {
			t.Error(err)
		}
	})
	_, err = guest.Target(target)
	must(t, err)
	s.targets[target] = guest.Config.Report.Listen
}

// config lets Prometheus scrape every target, and one that is not there, each second, and
// evaluate our rules with next to no patience.
func (s *scene) config(t *testing.T, patience string) string {
	t.Helper()
	rules, err := dashboards.RulesWith(func(a dashboards.Alert) string {
		if a.For == "" {
			return ""
		}
		return patience
	})
	must(t, err)
	file := filepath.Join(t.TempDir(), "rules.yaml")
	must(t, os.WriteFile(file, rules, 0o600))
	var b strings.Builder
	fmt.Fprintf(&b, "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [%s]\nscrape_configs:\n", file)
	for name, address := range s.targets {
		fmt.Fprintf(&b, "- job_name: k8guard-%s\n  honor_labels: true\n  static_configs: [{targets: [%q]}]\n", name, address)
	}
	fmt.Fprintf(&b, "- job_name: k8guard-gone\n  static_configs: [{targets: [%q]}]\n", free(t))
	return b.String()
}

// play lets one Deployment be acted on and undone, which opens the breaker, and freezes all.
// It begins when the counters were scraped, so that Prometheus sees them rise.
func (s *scene) play(t *testing.T) {
	t.Helper()
	eventually(t, "the gate's counters are scraped", func() error {
		found, err := s.server.query(t.Context(), "k8guard_undos_total")
		if err == nil && len(found) == 0 {
			err = errors.New("none is there")
		}
		return err
	})
	file := filepath.Join(filepath.Dir(s.ConfigFile()), "objects.yaml")
	must(t, os.WriteFile(file, []byte(objects), 0o600))
	must(t, s.Cluster.Apply(t.Context(), file))
	var id string
	eventually(t, "web is acted on", func() error {
		rows, err := s.Cases(t.Context(), "acted")
		if err == nil && len(rows) == 0 {
			err = fmt.Errorf("no case is acted on")
		}
		if err == nil {
			id = rows[0].Case.ID
		}
		return err
	})
	for _, args := range [][]string{{"undo", id, "--reason", "a test"}, {"freeze", "global", "--reason", "a test"}} {
		_, err := s.Command(t.Context(), args...)
		must(t, err)
	}
}

// A real Prometheus scrapes run, discover and report; every panel has its data, every name is
// where it belongs, and alerts fire.
func TestPrometheus(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a control plane and Prometheus: left out under -short")
	}
	program(t, "prometheus")
	program(t, "promtool")
	s := newScene(t)
	s.play(t)
	t.Run("counters rise", s.rises)
	t.Run("panels", s.panels)
	t.Run("first names", s.firstNames)
	t.Run("catalogue", s.catalogue)
	t.Run("check metrics", s.checkMetrics)
	t.Run("alerts fire", s.alerts)
	t.Run("native histograms", s.native)
	t.Run("services", s.services)
}

// What was done is seen as an increase, once each.
func (s *scene) rises(t *testing.T) {
	for expr, want := range map[string]string{
		`sum(k8guard_enforcements_total{kind="Deployment", result="done"})`: "1", `sum(k8guard_undos_total{kind="Deployment", result="done"})`: "1",
		`sum(increase(k8guard_enforcements_total{kind="Deployment", result="done"}[5m])) > bool 0`: "1", `sum(increase(k8guard_undos_total[5m])) > bool 0`: "1",
		`sum(rate(k8guard_notices_total{result="sent"}[5m])) > bool 0`:                                                   "1",
		`sum(k8guard_kubernetes_requests_total{account="action", verb="patch", kind="Deployment", code="2xx"}) > bool 0`: "1",
		`sum(k8guard_violations{kind="Ingress", rule="INGRESS_HOST_INVALID"}) == bool 2`:                                 "1", // of run and of discover
	} {
		eventually(t, expr, func() error {
			found, err := s.server.query(t.Context(), expr)
			if err == nil && (len(found) != 1 || found[0].Value[1] != want) {
				err = fmt.Errorf("%v, want %s", found, want)
			}
			return err
		})
	}
}

// The shipped rules are good ones, and each alert's story comes out.
func TestRules(t *testing.T) {
	promtool := program(t, "promtool")
	for _, args := range [][]string{{"check", "rules", "rules.yaml"}, {"test", "rules", "tests.yaml"}} {
		cmd := exec.CommandContext(t.Context(), promtool, args...)
		cmd.Dir = "../../deploy/prometheus"
		out, err := cmd.CombinedOutput()
		t.Logf("promtool %s:\n%s", strings.Join(args, " "), out)
		if err != nil {
			t.Error(err)
		}
	}
}

// Three alerts fire on what was done: a freeze stands, the breaker is open, a target is down.
func (s *scene) alerts(t *testing.T) {
	eventually(t, "the alerts fire", func() error {
		firing, err := s.server.query(t.Context(), `ALERTS{alertstate="firing"}`)
		if err != nil {
			return err
		}
		var names []string
		for _, a := range firing {
			names = append(names, a.Metric["alertname"])
		}
		slices.Sort(names)
		names = slices.Compact(names)
		for _, want := range []string{"K8GuardFrozen", "K8GuardBreakerOpen", "K8GuardDown"} {
			if !slices.Contains(names, want) {
				return fmt.Errorf("%s does not fire, but %v", want, names)
			}
		}
		t.Logf("firing: %v", names)
		return nil
	})
}

// A scraper that asks for native histograms gets them.
func (s *scene) native(t *testing.T) {
	beside := start(t, s.config(t, "1h"), "--enable-feature=native-histograms")
	eventually(t, "a native histogram", func() error {
		found, err := beside.query(t.Context(), "histogram_count(k8guard_round_duration_seconds) > 0")
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("no native histogram is there")
		}
		return err
	})
}

// page is what a target serves.
func page(ctx context.Context, t *testing.T, address string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/metrics", http.NoBody)
	must(t, err)
	resp, err := http.DefaultClient.Do(request)
	must(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	must(t, err)
	return string(text)
}
