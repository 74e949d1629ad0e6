package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const firstConfigMap = `apiVersion: v1
kind: List
items:
  - kind: ConfigMap
    data: {K8GUARD_CLUSTER_NAME: east, K8GUARD_ACTION_SMTP_SERVER: mail.example.com, K8GUARD_ACTION_SMTP_SEND_FROM: k8guard@example.com, K8GUARD_ACTION_SMTP_USERNAME: k8guard, K8GUARD_OOPS: "1"}
  - kind: Secret
    data: {K8GUARD_ACTION_SMTP_PASSWORD: czNjcmV0}
`

// What is printed is a configuration that check takes, from every place that variables come from.
func TestConfigMigrate(t *testing.T) {
	manifest := write(t, "first.yaml", firstConfigMap)
	lines := write(t, "first.env", "K8GUARD_CLUSTER_NAME=west\nK8GUARD_LOG_LEVEL=DEBUG\n")
	for name, c := range map[string]struct {
		args       []string
		env        []string
		in         string
		code       int
		out, fails string // what is printed; what is said
	}{
		"environment":       {env: []string{"K8GUARD_CLUSTER_NAME=here", "K8GUARD_RMQ_PASSWORD=s3cret"}, out: "name: here\n"},
		"lines":             {args: []string{"--env-file", lines}, env: []string{"K8GUARD_CLUSTER_NAME=here"}, out: "level: debug\n"},
		"a manifest":        {args: []string{"-f", manifest}, out: "passwordFile: /etc/k8guard/secrets/notify-email-password\n", fails: "K8GUARD_OOPS: no first K8Guard read this"},
		"standard input":    {args: []string{"-f", "-"}, in: firstConfigMap, out: "name: east\n"},
		"the last one wins": {args: []string{"-f", manifest, "--env-file", lines}, out: "name: east\n"},
		"nothing":           {env: []string{"K8GUARD_PORT=tcp://1"}, code: 2, fails: "no variable of a first K8Guard is set"},
		"a bad value":       {env: []string{"K8GUARD_ACTION_SMTP_PORT=s3cret"}, code: 2, fails: "environment variable K8GUARD_ACTION_SMTP_PORT: notify.email.port"},
		"a rule's value":    {env: []string{"K8GUARD_APPROVED_IMAGE_REPOS=https://x y"}, code: 2, fails: "cannot be judged by"},
		"no file":           {args: []string{"-f", "absent.yaml"}, code: 2, fails: "absent.yaml"},
		"another kind":      {args: []string{"-f", "-"}, in: "kind: Pod\n", code: 2, fails: "standard input: document 1"},
		"an argument":       {args: []string{"more"}, code: 2, fails: "--help"},
	} {
		out, errs, err := given(t, c.in, c.env, append([]string{"config", "migrate"}, c.args...)...)
		if Code(err) != c.code || !strings.Contains(out, c.out) || !strings.Contains(errs+Message(err), c.fails) {
			t.Errorf("%s: code %d\n%s\n%s\n%s", name, Code(err), out, errs, Message(err))
		}
		if strings.Contains(out+errs+Message(err), "s3cret") || strings.Contains(out+errs, "czNj") {
			t.Errorf("%s tells a secret:\n%s%s%s", name, out, errs, Message(err))
		}
		if c.code == 0 && name != "a manifest" && name != "standard input" && name != "the last one wins" { // those want a file
			if _, _, err := with(t, nil, "config", "check", "-c", write(t, "new.yaml", out)); err != nil {
				t.Errorf("%s: %v\n%s", name, err, out)
			}
		}
	}
}

func TestConfigMigrateWritesSecrets(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "secrets")
	args := []string{"config", "migrate", "-f", write(t, "first.yaml", firstConfigMap), "--secrets", folder}
	out, _, err := with(t, nil, args...)
	if err != nil {
		t.Fatal(err)
	}
	if _, errs, err := with(t, nil, "config", "check", "-c", write(t, "new.yaml", out)); err != nil {
		t.Errorf("%v %s\n%s", err, errs, out)
	}
	file := filepath.Join(folder, "notify-email-password")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", info, err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "s3cret\n" {
		t.Errorf("%q %v", text, err)
	}
	if again, _, err := with(t, nil, args...); err != nil || again != out {
		t.Errorf("a second time: %v\n%s", err, again)
	}
	if err := os.WriteFile(file, []byte("newer\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := with(t, nil, args...); Code(err) != ExitFailure || !strings.Contains(Message(err), "holds something else") {
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "newer\n" {
		t.Errorf("it was overwritten: %q %v", text, err)
	}
}
