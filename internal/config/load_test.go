package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "write the golden files anew")
	os.Exit(m.Run())
}

// golden compares got with a file, or writes the file under -update.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if flag.Lookup("update").Value.String() == "true" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s has drifted; if the new text is right, run the test with -update\ngot:\n%s\nwant:\n%s", file, got, want)
	}
}

func knownRules() []string {
	return []string{"IMAGE_REPO", "INGRESS_HOST_INVALID", "NO_OWNER_ANNOTATION", "PRIVILEGED"}
}

func full() config.Config {
	return config.Config{
		Cluster: config.Cluster{Authority: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", Name: "demo", Kubeconfig: "/etc/k8guard/discover.kubeconfig",
			ActionKubeconfig: "/etc/k8guard/action.kubeconfig", Namespace: "guard"},
		Clusters: []config.ActingCluster{{Name: "east", ActionKubeconfig: "/etc/k8guard/east.kubeconfig", Namespace: "guard",
			Authority: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}},
		Bus: config.Bus{Kind: config.BusKafka, Kafka: config.Kafka{Brokers: []string{"kafka-1.demo.example:9093"}, Prefix: "guard", FirstTopic: "k8guard-action", Group: "guard.east",
			Partitions: 24, Replication: 3, Retention: 48 * time.Hour,
			TLS:  config.ClientTLS{Enabled: true, CAFile: "/tls/kafka-ca.crt", CertFile: "/tls/kafka.crt", KeyFile: "/tls/kafka.key", ServerName: "kafka.demo.example"},
			SASL: config.SASL{Mechanism: config.SASLScram512, Username: "k8guard", Password: config.NewSecret("hidden"), PasswordFile: "/run/secrets/kafka", TokenFile: "/run/secrets/token"}}},
		Data: config.Data{Dir: "/var/lib/k8guard", Retention: 720 * time.Hour},
		Ledger: config.Ledger{Kind: config.LedgerCassandra, Cassandra: config.Cassandra{
			Hosts: []string{"cassandra-0.demo.example", "cassandra-1.demo.example:9142"}, Keyspace: "guard", LocalDC: "east", Replication: 2,
			Username: "guard", Password: config.NewSecret("hunter2-of-cassandra"), PasswordFile: "/run/secrets/cassandra", Timeout: 6 * time.Second,
			TLS: config.ClientTLS{Enabled: true, CAFile: "/etc/k8guard/cassandra-ca.pem", CertFile: "/etc/k8guard/cassandra.crt",
				KeyFile: "/etc/k8guard/cassandra.key", ServerName: "cassandra.demo.example"}}},
		Cache: config.Cache{Kind: config.CacheMemcached, Expiry: 24 * time.Hour, Memcached: config.Memcached{
			Servers:  []string{"cache-0.demo.example", "cache-1.demo.example:11212"},
			Username: "guard", Password: config.NewSecret("hunter2-of-memcached"), PasswordFile: "/run/secrets/memcached", Timeout: 100 * time.Millisecond,
			TLS: config.ClientTLS{Enabled: true, CAFile: "/etc/k8guard/memcached-ca.pem", CertFile: "/etc/k8guard/memcached.crt",
				KeyFile: "/etc/k8guard/memcached.key", ServerName: "memcached.demo.example"}}},
		Discover: config.Discover{Resync: 90 * time.Second, IgnoreNamespaces: []string{"kube-node-lease"}},
		Rules: config.Rules{Disabled: []string{"PRIVILEGED"},
			ImageRepo:    config.ImageRepo{Approved: []string{"registry.demo.example/base"}},
			IngressHosts: config.IngressHosts{ApprovedSuffixes: []string{"apps.demo.example"}, MustContain: []string{"demo"}, MustNotContain: []string{"test"}},
			Privileged:   config.Privileged{Root: "explicit"}, Capabilities: config.Capabilities{Allowed: []string{"NET_BIND_SERVICE"}},
			RequiredEntities:    []string{"!kube-system:resourcequota:*:default"},
			ImageSize:           config.ImageSize{Limit: "800Mi"},
			HostVolumes:         config.HostVolumes{Allowed: []string{"/data"}, AllowedReadOnly: []string{"/var/log"}},
			RequiredAnnotations: []string{"team/contact"}, RequiredLabels: []string{"!kube-system:deployment:*:app"}},
		Policies: []config.Policy{
			{Name: "images", Enforce: true, Match: config.Match{Rules: []string{"IMAGE_REPO"}, Namespaces: []string{"shop", "payments"},
				Kinds: []string{"Deployment"}, Severities: []string{"high", "critical"}},
				Ladder: config.Ladder{Standing: 2 * time.Minute, Warnings: 2, Wait: 48 * time.Hour, LastWait: 72 * time.Hour, MaxTries: 7, AckPauses: 96 * time.Hour}},
			{Name: "the rest", Ladder: config.DefaultLadder()},
		},
		Owners: config.Owners{EmailAnnotation: "example.com/owners", ChatAnnotation: "example.com/chat", TeamsFile: "/etc/k8guard/teams.yaml",
			WorkloadAnnotation: "example.com/contact", WorkloadCounts: true, Fallback: []string{"platform@demo.example"}},
		Notify: config.Notify{Gather: 2 * time.Minute, Gap: 2 * time.Hour, Email: config.Email{Host: "mail.demo.example", Port: 465,
			TLS: "tls", CAFile: "/etc/k8guard/ca.pem", Username: "guard", Password: config.NewSecret("hunter2-in-the-file"),
			PasswordFile: "/run/secrets/mail", From: "guard@demo.example", Domains: []string{"demo.example"}},
			Slack: config.Slack{Channel: "C0123ABCD", Token: config.NewSecret("xoxb-hunter2"), TokenFile: "/run/secrets/slack", BaseURL: "https://slack.demo.example/api",
				CAFile: "/etc/k8guard/slack-ca.pem", Users: []config.ChatUser{{Address: "shop@demo.example", ID: "U0123ABCD"}}},
			HipChat: config.HipChat{BaseURL: "https://chat.demo.example", Room: "guard", Token: config.NewSecret("hunter2-of-hipchat"), TokenFile: "/run/secrets/hipchat",
				CAFile: "/etc/k8guard/hipchat-ca.pem", Users: []config.ChatUser{{Address: "shop@demo.example", ID: "shop"}}},
			Webhook: []config.Webhook{{Name: "audit", URL: config.NewSecret("https://audit.demo.example/in"), URLFile: "/run/secrets/audit-url",
				Key: config.NewSecret("hunter2-hunter2-hunter2-hunter2"), KeyFile: "/run/secrets/audit-key", CAFile: "/etc/k8guard/audit-ca.pem"}},
			Alertmanager: config.Alertmanager{URL: "https://alerts.demo.example", Token: config.NewSecret("hunter2-of-alertmanager"),
				TokenFile: "/run/secrets/alertmanager", CAFile: "/etc/k8guard/alertmanager-ca.pem"}},
		Enforce: config.Enforce{Mode: config.ModeEnforce, MinimumAge: 36 * time.Hour, CoolOff: 12 * time.Hour, Permit: "a-permit",
			Budget: config.Budget{Round: 2 * time.Minute, PerHour: 3, PerDay: 11, PerNamespace: 2, PerOwner: 4, PerRule: 6,
				Percent: 0.5, Floor: 2},
			Breaker: config.Breaker{UndosPerHour: 3, ClockSkew: 10 * time.Second, Errors: 7, SharePoints: 15, Stale: 20 * time.Minute},
			Protect: config.Protect{Namespaces: []string{"vault"}, Workloads: []string{"shop/checkout"}}},
		Exemptions: []config.Exemption{{Match: config.Match{Rules: []string{"INGRESS_HOST_INVALID"}}, Name: "legacy",
			Source: "old.demo.example", Reason: "moves in spring", Expires: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC)}},
		Report: config.Report{Listen: "[::1]:9000", Socket: "/run/k8guard.sock", URL: "https://guard.demo.example", Login: config.LoginToken,
			TLS: config.TLS{Mode: config.TLSFiles, CertFile: "/tls/tls.crt", KeyFile: "/tls/tls.key"}, OpenMetrics: true},
		Log: config.Log{Level: "warn", Format: "json"},
	}
}

func TestLoadFull(t *testing.T) {
	got, warnings, err := config.Load(config.Source{File: "testdata/full.yaml", Rules: knownRules()})
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v, warnings %v", err, warnings)
	}
	if want := full(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	// A key that the file leaves out, or says as the default does, would prove nothing.
	same(t, "", reflect.ValueOf(got), reflect.ValueOf(config.Default()))
}

// same reports every leaf of got that is as in the defaults.
func same(t *testing.T, key string, got, normal reflect.Value) {
	for i := range got.NumField() {
		name := key + "." + got.Type().Field(i).Tag.Get("yaml")
		g, n := got.Field(i), normal.Field(i)
		if g.Kind() == reflect.Struct && g.Type() != reflect.TypeFor[config.Secret]() {
			same(t, name, g, n)
		} else if reflect.DeepEqual(g.Interface(), n.Interface()) {
			t.Errorf("testdata/full.yaml says nothing new about %s", name)
		}
	}
}

func TestLoadNothing(t *testing.T) {
	for _, data := range []string{"", "# only words\n", "---\n", "null\n"} {
		got, warnings, err := config.LoadBytes([]byte(data), config.Source{})
		if err != nil || len(warnings) > 0 || !reflect.DeepEqual(got, config.Default()) {
			t.Errorf("%q: %+v, %v, %v", data, got, warnings, err)
		}
	}
	if _, _, err := config.Load(config.Source{File: "testdata/absent.yaml"}); err == nil || !strings.Contains(err.Error(), "--config") {
		t.Errorf("an absent file: %v", err)
	}
}

func TestMistakes(t *testing.T) {
	files, err := filepath.Glob("testdata/mistakes/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d fixtures, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := config.LoadBytes(data, config.Source{File: "k8guard.yaml", Rules: knownRules()})
			if err == nil {
				t.Fatal("there is no error")
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "123456") {
				t.Errorf("a password is in the error: %v", err)
			}
			if !reflect.DeepEqual(got, config.Config{}) {
				t.Error("half a configuration came with the error")
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".golden", err.Error()+"\n")
		})
	}
}

// A channel by its name is taken, as the first system took it, and is not enough to be warned.
func TestAChannelsNameIsWarnedOf(t *testing.T) {
	for channel, warned := range map[string]int{"ops": 1, "#ops": 1, "C0123ABCD": 0} {
		_, warnings, err := config.LoadBytes([]byte("notify: {slack: {channel: \""+channel+"\", token: x}}\n"), config.Source{})
		if err != nil || len(warnings) != warned || warned == 1 && warnings[0].Key != "notify.slack.channel" {
			t.Errorf("%s: %v, %v", channel, warnings, err)
		}
	}
}

func TestWarnings(t *testing.T) {
	const file = "policies:\n- {name: a, ladder: {wait: 30s}}\n- {name: b, ladder: {wait: 2h, lastWait: 30s}}\n" +
		"enforce: {mode: enforce, minimumAge: 5m}\ncluster: {actionKubeconfig: a}\n"
	_, warnings, err := config.LoadBytes([]byte(file), config.Source{})
	var said []string
	for _, w := range warnings {
		said = append(said, w.String())
	}
	if want := []string{"enforce.minimumAge is below an hour while enforcement is on: owners have little time",
		"policies[0].ladder.wait is shorter than notify.gap: warnings will come later than it says",
		"policies[0].ladder.wait is below a minute: nobody can answer that fast",
		"policies[1].ladder.lastWait is below a minute: nobody can answer that fast"}; err != nil || !slices.Equal(said, want) {
		t.Errorf("got %q (%v), want %q", said, err, want)
	}
}
