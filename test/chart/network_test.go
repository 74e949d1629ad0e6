package chart

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// reach is what a NetworkPolicy says of one component: the TCP ports that it may dial, and who
// comes in, by namespace.
type reach struct {
	out []int
	in  []string
}

func reaches(t *testing.T, rendered []byte) map[string]reach {
	t.Helper()
	found := map[string]reach{}
	for _, p := range of[*networkingv1.NetworkPolicy](objects(t, rendered)) {
		var r reach
		for _, rule := range p.Spec.Egress {
			for _, port := range rule.Ports {
				if *port.Protocol == "TCP" && port.Port.IntVal != 53 {
					r.out = append(r.out, port.Port.IntValue())
				}
			}
		}
		for _, rule := range p.Spec.Ingress {
			if len(rule.From) == 0 || len(rule.Ports) == 0 {
				t.Errorf("%s: a rule lets everybody in, or to every port", p.Name)
			}
			for _, peer := range rule.From {
				r.in = append(r.in, metav1.FormatLabelSelector(peer.NamespaceSelector))
			}
		}
		slices.Sort(r.out)
		component := p.Spec.PodSelector.MatchLabels["app.kubernetes.io/component"]
		if _, twice := found[component]; twice || component == "" {
			t.Errorf("%s selects %q", p.Name, component)
		}
		found[component] = r
	}
	return found
}

// Each component may dial what its configuration names, and nothing beside; and only those come in whom a value names.
func TestReach(t *testing.T) {
	const ingress, monitoring = "kubernetes.io/metadata.name=ingress", "kubernetes.io/metadata.name=monitoring"
	for mode, want := range map[string]map[string]reach{
		"run":         {"run": {out: []int{443, 6443}}},
		"run-enforce": {"run": {out: []int{443, 587, 6443}}},
		"run-exposed": {"run": {out: []int{80, 443, 3128, 6443, 8200, 9443}, in: []string{ingress, monitoring}}},
		"services": {
			"discover": {out: []int{443, 6443, 9092}},
			"action":   {out: []int{9042, 9092, 9142}},
			"report":   {out: []int{9042, 9092, 9142}},
		},
		"services-enforce": {
			"discover": {out: []int{443, 6443, 9093, 11211}, in: []string{monitoring}},
			"action":   {out: []int{443, 465, 6443, 8443, 8444, 9042, 9093}, in: []string{monitoring}},
			"report":   {out: []int{443, 6443, 9042, 9093}, in: []string{ingress, monitoring}},
		},
	} {
		got := reaches(t, read(t, goldenFile(mode)))
		if text, wanted := fmt.Sprint(got), fmt.Sprint(want); text != wanted {
			t.Errorf("%s:\n got %s\nwant %s", mode, text, wanted)
		}
	}
}

// The port of an address is the one that is written, or that of its scheme; what lies on the pod's own loopback opens none.
func TestHelmPorts(t *testing.T) {
	h := newHelm(t)
	for set, want := range map[string][]int{
		"config.notify.slack.channel=C0123ABCD,secrets.slack.name=s":                                                                         {443},
		"config.notify.slack.channel=C0123ABCD,secrets.slack.name=s,config.notify.slack.baseURL=https://slack.local:8065/api":                {8065},
		"config.notify.slack.channel=C0123ABCD,secrets.slack.name=s,config.notify.slack.baseURL=http://127.0.0.1:8065":                       nil,
		"config.notify.slack.baseURL=https://slack.local:8065/api":                                                                           nil, // no channel: off
		"config.notify.hipchat.baseURL=https://chat.local:8443/x,secrets.hipchat.name=s":                                                     {8443},
		"config.notify.hipchat.baseURL=https://[2001:db8::1]:8444,secrets.hipchat.name=s":                                                    {8444},
		"config.notify.hipchat.baseURL=https://[2001:db8::1],secrets.hipchat.name=s":                                                         {443},
		"config.notify.alertmanager.url=http://am.monitoring":                                                                                {80},
		"config.notify.alertmanager.url=http://am.monitoring:9093":                                                                           {9093},
		"config.notify.alertmanager.url=https://am.monitoring":                                                                               {443},
		"config.notify.email.host=mail":                                                                                                      {587},
		"config.notify.email.host=mail,config.notify.email.port=25":                                                                          {25},
		"config.notify.email.host=localhost":                                                                                                 nil,
		"config.notify.webhook[0].name=a,secrets.webhook.a.name=s":                                                                           {443},
		"config.notify.webhook[0].name=a,secrets.webhook.a.name=s,secrets.webhook.a.port=9443":                                               {9443},
		"configIn=Secret,config.notify.webhook[0].name=a,config.notify.webhook[0].url=https://a:7443/x?y=z:1,config.notify.webhook[0].key=k": {7443},
		"config.cache.kind=memcached,config.cache.memcached.servers={a,b:11311}":                                                             {11211, 11311},
		"config.cache.memcached.servers={a}":                                                                                                 nil, // the kind says memory
		"pod.env[0].name=HTTPS_PROXY,pod.env[0].value=http://user@proxy:3128":                                                                {3128},
		"pod.env[0].name=https_proxy,pod.env[0].value=proxy:8080":                                                                            {8080},
		"enforcement.enabled=true,enforcement.apiServer=https://10.0.0.1:16443":                                                              {16443},
		"mode=services,config.bus.kafka.brokers={a:9094},config.ledger.cassandra.hosts={::1,2001:db8::1,[2001:db8::2]:9043}":                 {9042, 9043, 9094},
		"networkPolicy.egressPorts={1234}":                                                                                                   {1234},
	} {
		component := "run"
		if strings.HasPrefix(set, "mode=services") {
			component = "action"
		}
		rendered := h.template("run", "--set", "networkPolicy.apiServerPorts={6443}", "--set", set)
		got := slices.DeleteFunc(reaches(t, rendered)[component].out, func(port int) bool { return port == 6443 })
		if !slices.Equal(got, want) {
			t.Errorf("%s: opens %v, want %v", set, got, want)
		}
	}
}

// What the values do not tell is said where it is installed.
func TestHelmNotes(t *testing.T) {
	h := newHelm(t)
	exposed := "report.expose=true,report.url=https://guard.example.com,networkPolicy.from[0].podSelector.matchLabels.a=b,"
	for set, want := range map[string]string{
		"config.notify.webhook[0].name=a,secrets.webhook.a.name=s":             "webhook a: its address lies in a file, and 443",
		"config.clusters[0].name=west":                                         "config.clusters: their API servers stand in kubeconfigs",
		"pod.env[0].name=K8GUARD__CLUSTER__NAME,pod.env[0].value=x":            "pod.env K8GUARD__CLUSTER__NAME: an address in a variable opens no port",
		"pod.env[0].name=HTTPS_PROXY,pod.env[0].valueFrom.secretKeyRef.name=s": "pod.env HTTPS_PROXY: the proxy's port is not known",
		"config.notify.slack.channel=C0123ABCD,secrets.slack.name=chat":        "chat (token)",
		exposed + "report.tlsEndsBefore=true":                                  "readers' tokens travel in clear from where TLS ends",
		exposed + "report.tlsSecret=tls,networkPolicy.enabled=false":           "every pod of the cluster reaches the port",
		exposed + "report.tlsSecret=tls,metrics.prometheusRule.enabled=true":   "/metrics wants no login",
		"config.discover.resync=5m":                                            "Nobody is told yet",
	} {
		out := h.run("install", "k8guard", chartDir, "--namespace", "k8guard", "--values", valuesFile("run"), "--set", set, "--dry-run=client")
		_, notes, _ := strings.Cut(out, "\nNOTES:\n")
		if !strings.Contains(notes, want) {
			t.Errorf("%s: the notes lack %q:\n%s", set, want, notes)
		}
		if want != "Nobody is told yet" && strings.Contains(set, "notify") && strings.Contains(notes, "Nobody is told yet") {
			t.Errorf("%s: the notes say that nobody is told", set)
		}
	}
	if out := h.run("install", "k8guard", chartDir, "--namespace", "k8guard", "--values", valuesFile("run"), "--dry-run=client"); strings.Contains(out, "cannot know") {
		t.Errorf("the default has nothing that the NetworkPolicy cannot know:\n%s", out)
	}
}
