package chart

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// helm is a real one with folders of its own.
type helm struct {
	t          *testing.T
	path, home string
	kubeconfig string // empty: of no cluster
}

// newHelm leaves the test out where no helm is named: make chart-test builds and names one.
func newHelm(t *testing.T) *helm {
	t.Helper()
	path := os.Getenv("K8GUARD_HELM")
	if path == "" {
		t.Skip("run make chart-test: it builds helm once, in minutes")
	}
	return &helm{t: t, path: path, home: t.TempDir()}
}

func (h *helm) try(args ...string) (string, error) {
	cmd := exec.CommandContext(h.t.Context(), h.path, args...)
	cmd.Env = append(os.Environ(), "HELM_CACHE_HOME="+h.home, "HELM_CONFIG_HOME="+h.home, "HELM_DATA_HOME="+h.home, "KUBECONFIG="+h.kubeconfig)
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problem
	err := cmd.Run()
	if err != nil {
		return out.String() + problem.String(), err
	}
	return out.String(), nil
}

func (h *helm) run(args ...string) string {
	h.t.Helper()
	out, err := h.try(args...)
	if err != nil {
		h.t.Fatalf("helm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

func (h *helm) template(mode string, more ...string) []byte {
	h.t.Helper()
	return []byte(h.run(append([]string{"template", "k8guard", chartDir, "--namespace", "k8guard", "--values", valuesFile(mode)}, more...)...))
}

func TestHelmRendersWhatIsJudged(t *testing.T) {
	h := newHelm(t)
	h.run("lint", chartDir) // with the defaults, too
	for _, mode := range modes(t) {
		h.run("lint", chartDir, "--strict", "--namespace", "k8guard", "--values", valuesFile(mode))
		got := h.template(mode)
		if *update {
			if err := os.WriteFile(goldenFile(mode), got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if want := read(t, goldenFile(mode)); !bytes.Equal(got, want) {
			t.Errorf("%s: renders something else; look at it, and run: make chart-golden\n%s", mode, difference(want, got))
		}
	}
}

// The dashboards come as they are, for Grafana's sidecar.
func TestHelmDashboards(t *testing.T) {
	h := newHelm(t)
	for _, c := range of[*corev1.ConfigMap](objects(t, h.template("run", "--set", "metrics.dashboards.enabled=true"))) {
		if c.Name != "k8guard-dashboards" {
			continue
		}
		for name, text := range c.Data {
			if text != string(read(t, filepath.Join(deployDir, "grafana", name))) {
				t.Errorf("%s is another", name)
			}
		}
		if len(c.Data) < 5 || c.Labels["grafana_dashboard"] != "1" {
			t.Errorf("%d dashboards, labels %v", len(c.Data), c.Labels)
		}
		return
	}
	t.Error("there is no ConfigMap of dashboards")
}

// difference is the first line that is another.
func difference(want, got []byte) string {
	a, b := bytes.Split(want, []byte("\n")), bytes.Split(got, []byte("\n"))
	for i := range a {
		if i >= len(b) || !bytes.Equal(a[i], b[i]) {
			return "want " + string(a[i]) + "\n got " + string(bytes.Join(b[min(i, len(b)):min(i+1, len(b))], nil))
		}
	}
	return "there is more at the end"
}

// The product itself renders the chart by this helm, and finds nothing but what is known.
func TestScanOfTheChart(t *testing.T) {
	h := newHelm(t)
	bin := t.TempDir()
	if err := os.Symlink(h.path, filepath.Join(bin, "helm")); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
	for _, mode := range modes(t) {
		rules := filepath.Join(bin, "rules.yaml")
		if err := os.WriteFile(rules, []byte(strict), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, f := range scannedBy(t, "--chart", chartDir, "--values", valuesFile(mode), "-n", "k8guard", "--config", rules).Findings {
			if f.Verdict.State == "violated" && f.Verdict.Rule != "SINGLE_REPLICA" {
				t.Errorf("%s: %+v", mode, f)
			}
		}
	}
}

// What would not work is refused before it is installed, with what to write instead.
func TestHelmRefuses(t *testing.T) {
	h := newHelm(t)
	const exposed = "report.expose=true,report.url=https://guard.example.com"
	base := []string{"--set", "image.repository=registry.example.com/k8guard", "--set", "config.cluster.name=east"}
	for _, c := range []struct {
		set       string
		namespace string
		want      string
	}{
		{"image.repository=", "k8guard", "make image"},
		{"config.cluster.name=", "k8guard", "write how people call this cluster"},
		{"mode=embedded", "k8guard", "'run', 'services'"},
		{"imgae.tag=x", "k8guard", "imgae"},
		{"config.polices=x", "k8guard", "polices"},
		{"mode=services", "k8guard", "config.bus.kafka.brokers is empty"},
		{"enforcement.enabled=true", "guard", "install with --namespace k8guard"},
		{"config.enforce.mode=bogus", "k8guard", "'dry-run', 'safe', 'enforce'"},
		{"config.enforce.mode=enforce", "k8guard", "set enforcement.enabled"},
		{"config.notify.email.password=x", "k8guard", "name a Secret of yours in secrets"},
		{"config.notify.slack.token=x", "k8guard", "name a Secret of yours in secrets"},
		{"config.notify.slack.channel=C0123ABCD", "k8guard", "name a Secret of yours in secrets.slack"},
		{"config.notify.hipchat.baseURL=https://chat.example.com", "k8guard", "name a Secret of yours in secrets.hipchat"},
		{"secrets.slack.name=s", "k8guard", "config.notify.slack.channel is empty"},
		{"secrets.hipchat.name=s", "k8guard", "config.notify.hipchat.baseURL is empty"},
		{"secrets.alertmanager.name=s", "k8guard", "config.notify.alertmanager.url is empty"},
		{"secrets.webhook.audit.name=s", "k8guard", "write {name: audit} into config.notify.webhook"},
		{"config.notify.webhook[0].name=audit", "k8guard", "secrets.webhook.audit.name"},
		{"config.notify.webhook[0].name=audit,config.notify.webhook[0].url=https://a/x,secrets.webhook.audit.name=s", "k8guard", "name a Secret in secrets.webhook"},
		{"secrets.slak.name=s", "k8guard", "slak"},
		{"pod.env[0].name=HTTPS_PROXY,pod.env[0].value=http://u:s3cret@proxy:3128", "k8guard", "holds a secret in the Deployment"},
		{"pod.env[0].name=K8GUARD__NOTIFY__SLACK__TOKEN,pod.env[0].value=x", "k8guard", "holds a secret in the Deployment"},
		{"metrics.serviceMonitor.enabled=true", "k8guard", "set report.expose and report.url"},
		{"report.expose=true", "k8guard", "report.url is empty"},
		{"report.url=http://guard.example.com", "k8guard", "report"},
		{exposed, "k8guard", "tokens would travel in clear; name a kubernetes.io/tls Secret in report.tlsSecret, or set report.tlsEndsBefore"},
		{exposed + ",report.tlsSecret=tls,report.tlsEndsBefore=true", "k8guard", "leave tlsEndsBefore out"},
		{exposed + ",report.tlsSecret=tls", "k8guard", "name who reads in networkPolicy.from, and who scrapes in metrics.from"},
		{exposed + ",report.tlsSecret=tls,networkPolicy.from[0].podSelector.matchLabels.a=b,metrics.serviceMonitor.enabled=true", "k8guard", "name Prometheus in metrics.from"},
		{exposed + ",report.tlsEndsBefore=true,metrics.serviceMonitor.tokenSecret.name=t,metrics.from[0].podSelector.matchLabels.a=b", "k8guard", "Prometheus's token would travel to the pods in clear"},
		{exposed + ",report.tlsSecret=tls,networkPolicy.from={x}", "k8guard", "from"},
		{"config.report.listen=:8686", "k8guard", "set report.expose, report.url and report.tlsSecret"},
		{"report.port=80", "k8guard", "port"},
		{"config.data.dir=/var/lib", "k8guard", "config.data.dir is /var/lib, and the chart has it at /data"},
		{"config.ledger.kind=cassandra", "k8guard", "set mode: services"},
		{"secrets.extra[0].name=a,secrets.extra[0].at=/data/x", "k8guard", "at"},
	} {
		out, err := h.try(append(append([]string{"template", "k8guard", chartDir, "--namespace", c.namespace}, base...), "--set", c.set)...)
		if err == nil || !strings.Contains(out, c.want) {
			t.Errorf("%s: %v\n%s", c.set, err, out[:min(len(out), 600)])
		}
	}
	if out, err := h.try(append([]string{"template", "k8guard", chartDir, "--namespace", "guard"}, base...)...); err != nil || strings.Contains(out, "namespace: k8guard") {
		t.Errorf("in another namespace, in safe mode: %v\n%s", err, out)
	}
}
