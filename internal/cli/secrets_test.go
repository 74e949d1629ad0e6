package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A secret is in nothing that the commands about the configuration print, right or wrong,
// wherever it was written.
func TestSecretsAreMasked(t *testing.T) {
	const secret = "hunter2-marker"
	file := filepath.Join(t.TempDir(), "k8guard.yaml")
	for name, c := range map[string]struct {
		file      string
		env, args []string
	}{
		"file":               {file: "notify: {email: {password: " + secret + "}}\n"},
		"file, wrong beside": {file: "notify: {email: {password: " + secret + ", prot: 1}}\n"},
		"file, wrong type":   {file: "notify: {email: {password: [" + secret + "]}}\n"},
		"file, no YAML":      {file: "notify: {email: {password: " + secret + "\n"},
		"environment":        {env: []string{"K8GUARD__NOTIFY__EMAIL__PASSWORD=" + secret}},
		"old environment":    {env: []string{"K8GUARD_ACTION_SMTP_PASSWORD=" + secret}},
		"flag":               {args: []string{"--set", "notify.email.password=" + secret}},
		"flag, below it":     {args: []string{"--set", "notify.email.password.x=" + secret}},
	} {
		if err := os.WriteFile(file, []byte(c.file), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range []string{"config print", "config print -o json", "config check", "scan .", "cases", "discover", "report"} {
			args := append(strings.Fields(command), append(c.args, "--config", file)...)
			if strings.Fields(command)[0] == "discover" || strings.Fields(command)[0] == "report" {
				args = append(args, "--set", "nope=1") // it must not start
			}
			out, errs, err := with(t, c.env, args...)
			if strings.Contains(out+errs+Message(err), secret) {
				t.Errorf("%s, %s: %s%s%s", name, command, out, errs, Message(err))
			}
		}
	}
}

func TestActionNamesRun(t *testing.T) {
	if out, err := execute("", "action"); Code(err) != ExitFailure || !strings.Contains(Message(err), "use k8guard run") {
		t.Errorf("%v %s", err, out)
	}
}
