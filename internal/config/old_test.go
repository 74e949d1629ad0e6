package config_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

func TestTheFirstK8GuardsVariables(t *testing.T) {
	cfg, warnings, err := config.LoadBytes([]byte("cluster: {name: file}\n"), config.Source{Rules: knownRules(), Env: []string{
		"K8GUARD_CLUSTER_NAME=env", "K8GUARD_IGNORE_NAMESPACES=a, b", "K8GUARD_APPROVED_IMAGE_REPOS=r.example/x",
		"K8GUARD_INGRESS_MUST_NOT_CONTAIN=test", "K8GUARD_REQUIRED_LABELS=!a:pod:*:app,team", "K8GUARD_LOG_LEVEL=DEBUG",
		"K8GUARD_ACTION_SMTP_SERVER=mail.example", "K8GUARD_ACTION_SMTP_SEND_FROM=k@example.com", "K8GUARD_ACTION_SMTP_PASSWORD=s3cret",
		"K8GUARD__NOTIFY__EMAIL__DOMAINS=example.com", "K8GUARD__NOTIFY__EMAIL__USERNAME=k", "K8GUARD_ACTION_DRY_RUN=true", "K8GUARD_ACTION_SAFE_MODE=true",
		"K8GUARD_IGNORED_VIOLATIONS=PRIVILEGED,IMAGE_SIZE,a:pod:b:PRIVILEGED,*:pod:*:PRIVILEGED", "K8GUARD_KAFKA_BROKERS=k:9092",
		"K8GUARD_ACTION_CASSANDRA_HOSTS=c1, c2", "K8GUARD_ACTION_CASSANDRA_PASSWORD=s3cret", "K8GUARD_ACTION_CASSANDRA_CAPATH=/ca.pem",
		"K8GUARD_ACTION_CASSANDRA_SSL_HOST_VALIDATION=false", "K8GUARD_CASSANDRA_CREATE_TABLES=false",
		"K8GUARD_ACTION_WARNING_COUNT_BEFORE_ACTION=4", "K8GUARD_CONFIG=k8guard.yaml", "K8GUARD_SERVICE_HOST=10.0.0.1", "K8GUARD_PORT=tcp://x"}})
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(cfg.Cluster.Name, cfg.Discover.IgnoreNamespaces, cfg.Rules.ImageRepo.Approved, cfg.Rules.IngressHosts.MustNotContain,
		cfg.Rules.RequiredLabels, cfg.Log.Level, cfg.Notify.Email.Host, cfg.Notify.Email.From, cfg.Enforce.Mode, cfg.Rules.Disabled,
		cfg.Ledger.Kind, cfg.Ledger.Cassandra.Hosts, cfg.Ledger.Cassandra.Password.Reveal(), cfg.Ledger.Cassandra.TLS, cfg.Ledger.Cassandra.CreateSchema)
	if want := "env [a b] [r.example/x] [test] [!a:pod:*:app team] debug mail.example k@example.com dry-run [PRIVILEGED] sqlite [c1 c2] s3cret {true /ca.pem   } false\n"; got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	var texts []string
	for _, w := range warnings {
		texts = append(texts, w.String())
	}
	all := strings.Join(texts, "\n")
	for _, part := range []string{`K8GUARD_IGNORED_VIOLATIONS: there is no rule "IMAGE_SIZE"`, `"a:pod:b:PRIVILEGED" is about some objects only`, `"*:pod:*:PRIVILEGED" is about some objects only`,
		"K8GUARD_KAFKA_BROKERS does not choose the bus", "K8GUARD_ACTION_CASSANDRA_HOSTS does not choose the ledger",
		"K8GUARD_ACTION_CASSANDRA_SSL_HOST_VALIDATION has no effect"} {
		if !strings.Contains(all, part) {
			t.Errorf("no warning says %q:\n%s", part, all)
		}
	}
	if strings.Contains(all, "SERVICE_HOST") || strings.Contains(all, "K8GUARD_PORT") || strings.Contains(all, "s3cret") {
		t.Errorf("warned of what is not ours, or said a secret:\n%s", all)
	}
}

// An old variable may make K8Guard safer, never more daring; the new names win over it.
func TestAnOldVariableNeverSwitchesEnforcementOn(t *testing.T) {
	for env, want := range map[string]string{
		"K8GUARD_ACTION_SAFE_MODE=false": "safe", "K8GUARD_ACTION_DRY_RUN=false": "safe", "K8GUARD_ACTION_DRY_RUN=1": "dry-run",
		"K8GUARD_ACTION_SAFE_MODE=true": "safe",
	} {
		cfg, _, err := config.LoadBytes(nil, config.Source{Env: []string{env}})
		if err != nil || cfg.Enforce.Mode != want {
			t.Errorf("%s: %q, %v", env, cfg.Enforce.Mode, err)
		}
	}
	cfg, _, err := config.LoadBytes(nil, config.Source{Env: []string{"K8GUARD_CLUSTER_NAME=old", "K8GUARD__CLUSTER__NAME=new"}})
	if err != nil || cfg.Cluster.Name != "new" {
		t.Errorf("%q, %v", cfg.Cluster.Name, err)
	}
	if _, _, err := config.LoadBytes(nil, config.Source{Env: []string{"K8GUARD_ACTION_DRY_RUN=perhaps"}}); err == nil ||
		!strings.Contains(err.Error(), `K8GUARD_ACTION_DRY_RUN: "perhaps" is neither`) {
		t.Errorf("%v", err)
	}
}

// firstNames are the variables that the first K8Guard's users know, one for each that begins so.
const firstNames = `CLUSTER_NAME NAMESPACE IGNORE_NAMESPACES IGNORE_PODS_PREFIX IGNORE_DEPLOYMENTS IGNORE_DAEMONSETS IGNORE_JOBS IGNORE_CRONJOBS
	APPROVED_IMAGE_REPOS APPROVED_IMAGE_SIZE APPROVED_INGRESS_SUFFIXES INGRESS_MUST_CONTAIN INGRESS_MUST_NOT_CONTAIN IGNORED_VIOLATIONS
	REQUIRED_ENTITIES REQUIRED_ANNOTATIONS REQUIRED_LABELS CACHE_TYPE MEMCACHED_HOSTNAME KAFKA_BROKERS KAFKA_ACTION_TOPIC LOG_LEVEL
	ACTION_CASSANDRA_HOSTS ACTION_CASSANDRA_KEYSPACE ACTION_CASSANDRA_USERNAME ACTION_CASSANDRA_PASSWORD ACTION_CASSANDRA_CAPATH
	ACTION_CASSANDRA_SSL_HOST_VALIDATION CASSANDRA_CREATE_KEYSPACE CASSANDRA_CREATE_TABLES ACTION_HIPCHAT_TOKEN ACTION_HIPCHAT_ROOM_ID
	ACTION_HIPCHAT_BASE_URL ACTION_HIPCHAT_TAG_NAMESPACE_OWNER ACTION_SLACK_TOKEN ACTION_SLACK_CHANNEL
	ACTION_ANNOTATION_FORMAT_FOR_CHAT_IDS ACTION_ANNOTATION_FORMAT_FOR_EMAILS ACTION_DURATION_BETWEEN_CHAT_NOTIFICATIONS
	ACTION_DURATION_BETWEEN_NOTIFYING_AGAIN ACTION_DURATION_VIOLATION_EXPIRES ACTION_DRY_RUN ACTION_SAFE_MODE
	ACTION_WARNING_COUNT_BEFORE_ACTION ACTION_SMTP_SERVER ACTION_SMTP_PORT ACTION_SMTP_USERNAME ACTION_SMTP_PASSWORD ACTION_SMTP_SEND_FROM
	ACTION_SMTP_FALLBACK_SEND_TO ACTION_SMTP_SEND_TO_NAMESAPCE_OWNER ACTION_VIOLATION_EMAIL_FOOTER OUTPUT_PODS_TO_FILE INCLUDE_ALPHA
	MESSAGE_BROKER KAFKA_CERT_FILE_PATH KAFKA_KEY_FILE_PATH KAFKA_KEY_PASSWORD KAFKA_EVENT_TOPIC RMQ_* CACHE_EXPIRATION_SECONDS
	ACTION_DURATION_BETWEEN_CONSUMING_VIOLATIONS`

// Every variable of the first K8Guard is known here, and no other is called one.
func TestEachOldVariableIsKnown(t *testing.T) {
	want := strings.Fields(firstNames)
	var got []string
	for _, v := range config.OldVariables() {
		got = append(got, v.Name)
		if v.Key == "" && v.Note == "" {
			t.Errorf("nobody says what replaced %s", v.Name)
		}
		if _, known := config.Describe(config.Default(), v.Key); v.Key != "" && !known && !strings.HasPrefix(v.Key, "policies[]") {
			t.Errorf("%s sets %s, which is no key", v.Name, v.Key)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(want, got) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Every variable of the first K8Guard changes the configuration, or somebody says what replaced it.
func TestEachOldVariableHasAnEffect(t *testing.T) {
	values := map[string]string{"CACHE_TYPE": "MEMCACHED", "CACHE_EXPIRATION_SECONDS": "7200", "ACTION_DRY_RUN": "true", "ACTION_SMTP_PORT": "25",
		"CASSANDRA_CREATE_KEYSPACE": "false", "CASSANDRA_CREATE_TABLES": "false", "IGNORED_VIOLATIONS": "PRIVILEGED", "LOG_LEVEL": "WARNING",
		"ACTION_WARNING_COUNT_BEFORE_ACTION": "5", "ACTION_DURATION_BETWEEN_NOTIFYING_AGAIN": "48h", "ACTION_SAFE_MODE": "false", "ACTION_SMTP_SEND_FROM": "k@b.example", "APPROVED_IMAGE_SIZE": "7",
		"ACTION_HIPCHAT_TAG_NAMESPACE_OWNER": "0", "ACTION_HIPCHAT_BASE_URL": "https://chat.example"}
	// What cannot stand alone stands in the file.
	file := []byte("notify: {email: {host: m.example, from: a@b.example, domains: [b.example], username: u, password: p}, " +
		"slack: {channel: C0123ABCD, token: t}, hipchat: {baseURL: 'https://h.example', room: r, token: t}}\ncache: {memcached: {servers: [m]}}\n")
	before, _, err := config.LoadBytes(file, config.Source{Rules: knownRules()})
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.FieldsSeq(firstNames) {
		t.Run(name, func(t *testing.T) {
			set := config.OldPrefix + strings.Replace(name, "*", "HOST", 1)
			after, warnings, err := config.LoadBytes(file, config.Source{Rules: knownRules(), Env: []string{set + "=" + cmp.Or(values[name], "7.example")}})
			if err != nil {
				t.Fatal(err)
			}
			if reflect.DeepEqual(before, after) && !strings.Contains(fmt.Sprint(warnings), set) {
				t.Errorf("%s does nothing, and nobody says so", set)
			}
			again, warnings, err := config.LoadBytes(file, config.Source{Rules: knownRules(), Env: []string{set + "="}})
			if err != nil || !reflect.DeepEqual(before, again) || strings.Contains(fmt.Sprint(warnings), set) {
				t.Errorf("%s that is empty says something: %v, %v", set, warnings, err)
			}
		})
	}
}

// The two numbers of the first K8Guard's ladder are a policy, unless the file has some.
func TestTheFirstK8GuardsLadder(t *testing.T) {
	env := []string{"K8GUARD_ACTION_WARNING_COUNT_BEFORE_ACTION=4", "K8GUARD_ACTION_DURATION_BETWEEN_NOTIFYING_AGAIN=6h"}
	cfg, warnings, err := config.LoadBytes(nil, config.Source{Env: env})
	if err != nil || len(cfg.Policies) != 1 || len(warnings) != 0 {
		t.Fatalf("%v %v %v", cfg.Policies, warnings, err)
	}
	if p := cfg.Policies[0]; p.Enforce || p.Ladder.Warnings != 4 || p.Ladder.Wait != 6*time.Hour || p.Ladder.LastWait != 6*time.Hour {
		t.Errorf("%+v", p)
	}
	cfg, warnings, err = config.LoadBytes([]byte("policies: [{name: mine}]\n"), config.Source{Env: env})
	if err != nil || cfg.Policies[0].Ladder != config.DefaultLadder() || len(warnings) != 2 || !strings.Contains(warnings[0].Text, "policies[].ladder.wait") {
		t.Errorf("%+v %v %v", cfg.Policies, warnings, err)
	}
	for _, bad := range []string{"K8GUARD_ACTION_WARNING_COUNT_BEFORE_ACTION=0", "K8GUARD_ACTION_WARNING_COUNT_BEFORE_ACTION=few", "K8GUARD_ACTION_DURATION_BETWEEN_NOTIFYING_AGAIN=6"} {
		name, _, _ := strings.Cut(bad, "=")
		if _, _, err := config.LoadBytes(nil, config.Source{Env: []string{bad}}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// What is ignored of all objects is a rule that is not judged by, however it was written.
func TestTheFirstK8GuardsIgnoredViolations(t *testing.T) {
	for value, want := range map[string]struct {
		disabled string
		says     string // of a warning
	}{
		"PRIVILEGED":                          {"[PRIVILEGED]", ""},
		"*:*:*:PRIVILEGED":                    {"[PRIVILEGED]", ""},
		" *:*:*:PRIVILEGED , PRIVILEGED ":     {"[PRIVILEGED]", ""},
		"*:*:*:NOPE":                          {"[]", `there is no rule "NOPE"`},
		"*:*:PRIVILEGED":                      {"[]", "some objects only"},
		"shop:*:*:PRIVILEGED":                 {"[]", "some objects only"},
		"!*:*:*:PRIVILEGED":                   {"[]", "some objects only"},
		"*:*:*:a:PRIVILEGED,*:*:*:PRIVILEGED": {"[PRIVILEGED]", "some objects only"},
	} {
		cfg, warnings, err := config.LoadBytes(nil, config.Source{Rules: []string{"PRIVILEGED"}, Env: []string{"K8GUARD_IGNORED_VIOLATIONS=" + value}})
		if said := fmt.Sprint(warnings); err != nil || fmt.Sprint(cfg.Rules.Disabled) != want.disabled || (want.says == "") != (len(warnings) == 0) || !strings.Contains(said, want.says) {
			t.Errorf("%q: %v, %s, %v", value, cfg.Rules.Disabled, said, err)
		}
	}
}

func TestTheFirstK8GuardsCache(t *testing.T) {
	for name, c := range map[string]struct {
		env  []string
		want string // kind, servers, expiry
		says string // of a warning, or of the error
		bad  bool
	}{
		"all of it":      {env: []string{"CACHE_TYPE=MEMCACHED", "MEMCACHED_HOSTNAME=m.example:11212", "CACHE_EXPIRATION_SECONDS=3600"}, want: "memcached [m.example:11212] 1h0m0s"},
		"memory":         {env: []string{"CACHE_TYPE=Memory"}, want: "memory [] 168h0m0s"},
		"a server alone": {env: []string{"MEMCACHED_HOSTNAME=m.example"}, want: "memory [m.example] 168h0m0s", says: "does not choose the cache"},
		"another kind":   {env: []string{"CACHE_TYPE=REDIS"}, want: "memory [] 168h0m0s", says: `"REDIS" is no cache`},
		"for ever":       {env: []string{"CACHE_EXPIRATION_SECONDS=0"}, want: "memory [] 168h0m0s", says: "was for ever"},
		"no server":      {env: []string{"CACHE_TYPE=MEMCACHED"}, says: "cache.memcached.servers: is missing", bad: true},
		"no number":      {env: []string{"CACHE_EXPIRATION_SECONDS=soon"}, says: "CACHE_EXPIRATION_SECONDS", bad: true},
		"too long":       {env: []string{"CACHE_EXPIRATION_SECONDS=99999999"}, says: "cache.expiry: is not between", bad: true},
	} {
		t.Run(name, func(t *testing.T) {
			var env []string
			for _, e := range c.env {
				env = append(env, config.OldPrefix+e)
			}
			cfg, warnings, err := config.LoadBytes(nil, config.Source{Env: env})
			if c.bad {
				if err == nil || !strings.Contains(err.Error(), c.says) {
					t.Fatalf("%v, want %q", err, c.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(cfg.Cache.Kind, cfg.Cache.Memcached.Servers, cfg.Cache.Expiry); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(c.want, " ", "") {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if (c.says == "") != (len(warnings) == 0) || c.says != "" && !strings.Contains(warnings[0].String(), c.says) {
				t.Errorf("warnings %v, want %q", warnings, c.says)
			}
		})
	}
}
