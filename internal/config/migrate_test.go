package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
)

// firstSystem is what somebody had who ran the first K8Guard.
func firstSystem() []string {
	return []string{"PATH=/bin", "K8GUARD_SERVICE_HOST=10.0.0.1", "K8GUARD_CLUSTER_NAME=east", "K8GUARD_NAMESPACE=", "K8GUARD_IGNORE_NAMESPACES=kube-system,default",
		"K8GUARD_IGNORE_JOBS=backup", "K8GUARD_APPROVED_IMAGE_REPOS=registry.example.com", "K8GUARD_APPROVED_IMAGE_SIZE=900",
		"K8GUARD_IGNORED_VIOLATIONS=NO_OWNER_ANNOTATION,shop:deployment:web:PRIVILEGED", "K8GUARD_REQUIRED_ANNOTATIONS=*:namespace:*:team/email-ids",
		"K8GUARD_CACHE_TYPE=MEMCACHED", "K8GUARD_MEMCACHED_HOSTNAME=cache:11211", "K8GUARD_KAFKA_BROKERS=kafka:9092", "K8GUARD_KAFKA_ACTION_TOPIC=k8guard-action",
		"K8GUARD_KAFKA_KEY_PASSWORD=s3cret-key", "K8GUARD_LOG_LEVEL=DEBUG", "K8GUARD_ACTION_CASSANDRA_HOSTS=cassandra", "K8GUARD_ACTION_CASSANDRA_USERNAME=k8guard",
		"K8GUARD_ACTION_CASSANDRA_PASSWORD=s3cret-cassandra", "K8GUARD_ACTION_SMTP_SERVER=mail.example.com", "K8GUARD_ACTION_SMTP_PORT=465",
		"K8GUARD_ACTION_SMTP_USERNAME=k8guard", "K8GUARD_ACTION_SMTP_PASSWORD=s3cret-mail", "K8GUARD_ACTION_SMTP_SEND_FROM=k8guard@example.com",
		"K8GUARD_ACTION_SMTP_FALLBACK_SEND_TO=platform@ops.example.com", "K8GUARD_ACTION_WARNING_COUNT_BEFORE_ACTION=5",
		"K8GUARD_ACTION_DURATION_BETWEEN_NOTIFYING_AGAIN=24h", "K8GUARD_ACTION_DRY_RUN=false", "K8GUARD_ACTION_SAFE_MODE=false", "K8GUARD_RMQ_PASSWORD=s3cret-rmq",
		"K8GUARD_ACTION_SLACK_TOKEN=s3cret-slack", "K8GUARD_ACTION_SLACK_CHANNEL=C0123ABCD", "K8GUARD_ACTION_VIOLATION_EMAIL_FOOTER=bye\n- injected: true"}
}

func TestMigrate(t *testing.T) {
	m, some, err := config.Migrate(firstSystem(), knownRules(), "/run/secrets")
	if err != nil || !some {
		t.Fatal(some, err)
	}
	text := string(m.YAML)
	for _, w := range m.Warnings {
		text += w.String() + "\n"
	}
	if strings.Contains(text, "s3cret") || strings.Contains(text, "injected") {
		t.Errorf("a secret, or what a value says, is printed:\n%s", text)
	}
	for _, name := range firstSystem()[2:] {
		name, _, _ = strings.Cut(name, "=")
		if !strings.Contains(string(m.YAML), name) {
			t.Errorf("%s is not spoken of", name)
		}
	}
	cfg, _, err := config.LoadBytes(m.YAML, config.Source{File: "migrated.yaml", Rules: knownRules()})
	if err != nil {
		t.Fatalf("%v\n%s", err, m.YAML)
	}
	// The file says what the variables said, but where secrets lie.
	env := append(firstSystem(), "K8GUARD__NOTIFY__EMAIL__DOMAINS=example.com,ops.example.com")
	revealed := ""
	for _, moved := range m.Secrets {
		revealed += moved.Value.Reveal() + " "
		env = slices.DeleteFunc(env, func(line string) bool { return strings.HasPrefix(line, moved.Variable+"=") })
		env = append(env, config.Prefix+strings.ReplaceAll(moved.Key, ".", "__")+"File="+moved.File)
	}
	was, _, err := config.LoadBytes(nil, config.Source{Rules: knownRules(), Env: env})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := printed(t, was), printed(t, cfg); a != b {
		t.Errorf("the variables say\n%s\nthe file says\n%s", a, b)
	}
	if !strings.HasPrefix(revealed, "s3cret-cassandra ") || !strings.HasSuffix(revealed, "s3cret-mail ") {
		t.Errorf("moved: %s", revealed)
	}
	golden(t, filepath.Join("testdata", "migrated.golden"), string(m.YAML))
}

func printed(t *testing.T, c config.Config) string {
	t.Helper()
	text, err := c.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestMigrateRefuses(t *testing.T) {
	if _, some, err := config.Migrate([]string{"PATH=/bin", "K8GUARD_SERVICE_HOST=x", "K8GUARD__LOG__LEVEL=info"}, nil, "/"); some || err != nil {
		t.Errorf("nothing: %v, %v", some, err)
	}
	for _, bad := range []string{"K8GUARD_ACTION_SMTP_PORT=many", "K8GUARD_ACTION_DRY_RUN=perhaps", "K8GUARD_APPROVED_IMAGE_SIZE=big",
		"K8GUARD_ACTION_SMTP_SERVER=mail"} {
		_, _, err := config.Migrate([]string{bad}, nil, "/")
		if err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", bad, err)
		}
	}
	// The last one of two wins, as files follow one another.
	m, _, err := config.Migrate([]string{"K8GUARD_CLUSTER_NAME=z", "K8GUARD_CLUSTER_NAME=a"}, nil, "/")
	if err != nil || !strings.Contains(string(m.YAML), "name: a\n") {
		t.Errorf("%s, %v", m.YAML, err)
	}
}

func TestFilesOfVariables(t *testing.T) {
	for name, c := range map[string]struct {
		read func([]byte, string) ([]string, error)
		text string
		want string // joined, or a part of the error
		bad  bool
	}{
		"lines":        {read: config.EnvFile, text: "\ufeff# x\n\nexport A=1\r\nB = \"2 3\"\nC='=4'\nD=\n", want: "A=1|B=2 3|C==4|D="},
		"no line":      {read: config.EnvFile, text: "A=1\ns3cret\n", want: "f:2: is no variable", bad: true},
		"ConfigMap":    {read: config.Manifest, text: "kind: ConfigMap\ndata:\n  B: x\n  A: \"1\"\n", want: "A=1|B=x"},
		"Secret":       {read: config.Manifest, text: "kind: Secret\ndata: {A: czNjcmV0Cg==}\nstringData: {B: y}\n", want: "A=s3cret|B=y"},
		"several":      {read: config.Manifest, text: "---\n---\nkind: ConfigMap\ndata: {A: x}\n---\nkind: List\nitems: [{kind: Secret, stringData: {B: y}}]\n", want: "A=x|B=y"},
		"a Deployment": {read: config.Manifest, text: "kind: Deployment\n", want: `"Deployment" holds no variables; write a ConfigMap or a Secret`, bad: true},
		"no base64":    {read: config.Manifest, text: "kind: Secret\ndata: {A: s3cret!}\n", want: "data.A of a Secret is not base64", bad: true},
		"no text":      {read: config.Manifest, text: "kind: ConfigMap\ndata: {A: [s3cret]}\n", want: "no text; write each in quotes", bad: true},
		"no YAML":      {read: config.Manifest, text: "kind: [", want: "document 1 is not YAML", bad: true},
		"too large":    {read: config.Manifest, text: strings.Repeat("#", 5<<20), want: "at most", bad: true},
		"large lines":  {read: config.EnvFile, text: strings.Repeat("#", 5<<20), want: "at most", bad: true},
	} {
		got, err := c.read([]byte(c.text), "f")
		if c.bad {
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || strings.Join(got, "|") != c.want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// Whatever variables hold, what comes out is a configuration, tells no secret, and is one
// that is read.
func FuzzMigrate(f *testing.F) {
	f.Add("east\n# x", "a,b:\x00", "key\n  - x: {{", "*:pod:*:x")
	f.Add("'\"", "&a *a", "\u2028enforce: {mode: enforce}", "\xff")
	f.Fuzz(func(t *testing.T, name, list, note, ignored string) {
		const secret = "s3cret-marker"
		env := []string{"K8GUARD_CLUSTER_NAME=" + name, "K8GUARD_IGNORE_NAMESPACES=" + list, "K8GUARD_ACTION_VIOLATION_EMAIL_FOOTER=" + note,
			"K8GUARD_IGNORED_VIOLATIONS=" + ignored, "K8GUARD_CACHE_TYPE=" + note, "K8GUARD_ACTION_CASSANDRA_PASSWORD=" + secret}
		m, _, err := config.Migrate(env, knownRules(), "/s/"+note)
		if err != nil {
			return
		}
		if strings.Contains(string(m.YAML), secret) {
			t.Fatalf("%s", m.YAML)
		}
		cfg, _, err := config.LoadBytes(m.YAML, config.Source{Rules: knownRules()})
		if err != nil {
			t.Fatalf("%v\n%s", err, m.YAML)
		}
		if cfg.Enforce.Mode != config.ModeSafe {
			t.Errorf("enforce.mode is %s", cfg.Enforce.Mode)
		}
	})
}

// TestMigratingIsCurrent holds the table of docs/migrating.md.
func TestMigratingIsCurrent(t *testing.T) {
	const file, begin, end = "../../docs/migrating.md", "<!-- variables: begin -->\n", "<!-- variables: end -->"
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(data), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table between %q and %q", file, begin, end)
	}
	var table strings.Builder
	table.WriteString("| variable | becomes | |\n|---|---|---|\n")
	for _, v := range config.OldVariables() {
		key := v.Key
		if key != "" {
			key = "`" + key + "`"
		}
		table.WriteString("| `" + config.OldPrefix + v.Name + "` | " + key + " | " + v.Note + " |\n")
	}
	golden(t, file, before+begin+table.String()+end+after)
}
