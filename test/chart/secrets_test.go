package chart

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/k8guard/k8guard/internal/config"
)

// secretFiles are the files below /run/secrets that a pod mounts one by one, with the Secret and
// its key; a Secret that is mounted whole is in with *.
func secretFiles(d *appsv1.Deployment) map[string]string {
	found := map[string]string{}
	spec := d.Spec.Template.Spec
	for _, m := range spec.Containers[0].VolumeMounts {
		i := slices.IndexFunc(spec.Volumes, func(v corev1.Volume) bool { return v.Name == m.Name })
		s := spec.Volumes[i].Secret
		if s == nil || !strings.HasPrefix(m.MountPath, "/run/secrets/") {
			continue
		}
		if len(s.Items) == 0 {
			found[m.MountPath+"/*"] = s.SecretName
		}
		for _, item := range s.Items {
			found[path.Join(m.MountPath, item.Path)] = s.SecretName + "/" + item.Key
		}
	}
	return found
}

// Every channel's secret is a file of the pod that speaks on it, and of no other; the
// configuration names that file.
func TestSecretsAreFiles(t *testing.T) {
	golden := read(t, goldenFile("services-enforce"))
	const ca = "/run/secrets/ca/*"
	want := map[string]map[string]string{
		"k8guard-discover": {ca: "k8guard-ca", "/run/secrets/kafka/pass": "k8guard-kafka/pass", "/run/secrets/memcached/password": "k8guard-memcached/password"},
		"k8guard-report":   {ca: "k8guard-ca", "/run/secrets/kafka/pass": "k8guard-kafka/pass", "/run/secrets/cassandra/password": "k8guard-cassandra/password"},
		"k8guard-action": {ca: "k8guard-ca", "/run/secrets/kafka/pass": "k8guard-kafka/pass", "/run/secrets/cassandra/password": "k8guard-cassandra/password",
			"/run/secrets/smtp/password": "k8guard-smtp/password", "/run/secrets/slack/slack": "k8guard-chat/slack", "/run/secrets/hipchat/hipchat": "k8guard-chat/hipchat",
			"/run/secrets/alertmanager/token": "k8guard-alertmanager/token", "/run/secrets/webhook-audit/url": "k8guard-audit/url", "/run/secrets/webhook-audit/key": "k8guard-audit/key",
			"/run/secrets/webhook-pager/address": "k8guard-pager/address", "/run/secrets/webhook-pager/signs": "k8guard-pager/signs"},
	}
	got := map[string]map[string]string{}
	for _, d := range of[*appsv1.Deployment](objects(t, golden)) {
		got[d.Name] = secretFiles(d)
	}
	for name, files := range want {
		if !maps.Equal(got[name], files) {
			t.Errorf("%s mounts %v, want %v", name, got[name], files)
		}
	}
	c, _, err := config.LoadBytes([]byte(configuration(t, golden)), config.Source{File: "services-enforce"})
	if err != nil {
		t.Fatal(err)
	}
	n := c.Notify
	named := []string{n.Email.PasswordFile, n.Slack.TokenFile, n.HipChat.TokenFile, n.Alertmanager.TokenFile, n.Webhook[0].URLFile, n.Webhook[0].KeyFile,
		n.Webhook[1].URLFile, n.Webhook[1].KeyFile, c.Bus.Kafka.SASL.PasswordFile, c.Ledger.Cassandra.PasswordFile}
	for file := range want["k8guard-action"] {
		if file != ca && !slices.Contains(named, file) {
			t.Errorf("%s is mounted, and nothing in the configuration names it", file)
		}
	}
	if len(named)+1 != len(want["k8guard-action"]) || c.Cache.Memcached.PasswordFile != "/run/secrets/memcached/password" {
		t.Errorf("the configuration names %v", named)
	}
}

// What the configuration says of a webhook itself is not taken out of its Secret; a token of
// OAUTHBEARER is no password.
func TestHelmSecrets(t *testing.T) {
	h := newHelm(t)
	rendered := h.template("run", "--set", "configIn=Secret,config.notify.webhook[0].name=a,config.notify.webhook[0].url=https://a.example.com,secrets.webhook.a.name=s")
	c, _, err := config.LoadBytes([]byte(configuration(t, rendered)), config.Source{File: "run"})
	if err != nil {
		t.Fatal(err)
	}
	if w := c.Notify.Webhook[0]; w.URLFile != "" || w.KeyFile != "/run/secrets/webhook-a/key" {
		t.Errorf("%+v", w)
	}
	if files := fmt.Sprint(secretFiles(of[*appsv1.Deployment](objects(t, rendered))[0])); files != "map[/run/secrets/webhook-a/key:s/key]" {
		t.Errorf("mounts %s", files)
	}
	rendered = h.template("services", "--set", "secrets.kafka.name=s,config.bus.kafka.sasl.mechanism=OAUTHBEARER,config.bus.kafka.tls.enabled=true")
	if text := configuration(t, rendered); !strings.Contains(text, "tokenFile: /run/secrets/kafka/password") || strings.Contains(text, "passwordFile") {
		t.Errorf("the configuration is\n%s", text)
	}
}
