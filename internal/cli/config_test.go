package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// with runs the command, and keeps stdout and stderr apart.
func with(t *testing.T, env []string, args ...string) (out, errs string, err error) {
	t.Helper()
	return given(t, "", env, args...)
}

// given is with, and something on standard input.
func given(t *testing.T, in string, env []string, args ...string) (out, errs string, err error) {
	t.Helper()
	var o, e bytes.Buffer
	root := New(Streams{In: strings.NewReader(in), Out: &o, Err: &e, Env: env})
	root.SetArgs(args)
	err = root.Execute()
	return o.String(), e.String(), err
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestConfigCheck(t *testing.T) {
	good := write(t, "good.yaml", "log: {level: warn}\n")
	doubtful := write(t, "doubtful.yaml", "policies: [{name: a, ladder: {wait: 90s, lastWait: 90s}}]\n")
	bad := write(t, "bad.yaml", "log: {level: \"\\e[31m\", lvel: 1}\nreport: {listen: 0.0.0.0:1}\n\"\\e\\n\": 1\n")
	kubeconfig, _ := apiServer(t)
	mail := []string{"--set", "notify.email.host=localhost", "--set", "notify.email.from=k@example.com", "--set", "notify.email.domains=example.com"}
	mail = mail[:len(mail):len(mail)]
	for _, c := range []struct {
		args        []string
		env         []string
		code        int
		errs, fails string // what is in the warnings and the error
	}{
		{args: []string{"-c", good}},
		{args: []string{"--config", good}},
		{env: []string{"K8GUARD_CONFIG=" + good}},
		{},
		{args: []string{"-c", doubtful}, errs: "warning: policies[0].ladder.wait is shorter than notify.gap"},
		{args: []string{"-c", bad}, code: 2, fails: "bad.yaml:1:24: log.lvel: there is no such key; did you mean level?\n"},
		{args: []string{"-c", good}, env: []string{"K8GUARD_CONFIG=" + bad}},
		{env: []string{"K8GUARD_CONFIG=" + bad}, code: 2, fails: "bad.yaml:1:24"},
		{env: []string{"K8GUARD__LOG__LEVEL=loud"}, code: 2, fails: "environment variable K8GUARD__LOG__LEVEL"},
		{args: []string{"--set", "rules.disabled=NOPE"}, code: 2, fails: "--set: rules.disabled[0]: there is no such rule"},
		{args: []string{"-c", "absent.yaml"}, code: 2, fails: "absent.yaml"},
		{args: []string{"--set", "rules.IMAGE_REPO.approved=https://x y"}, code: 2, fails: "approved"},
		{args: append(mail, "--set", "notify.email.caFile=absent.pem"), code: 2, fails: "caFile"},
		{args: append(mail, "--set", "notify.email.username=k"), code: 2, fails: "go together"},
		{args: append(mail, "--set", "notify.email.username=k", "--set", "notify.email.passwordFile=absent"), code: 2, fails: "notify.email.passwordFile: open absent"},
		{args: append(mail, "--set", "notify.email.username=k", "--set", "notify.email.passwordFile="+write(t, "empty", "\n")), code: 2, fails: "passwordFile is empty"},
		{args: append(mail, "--set", "notify.email.username=k", "--set", "notify.email.passwordFile="+write(t, "secret", "x\n"))},
		{args: mail},
		{args: []string{"--set", "cluster.kubeconfig=" + kubeconfig}},
		{args: []string{"--set", "cluster.kubeconfig=" + write(t, "empty.kubeconfig", "")}, code: 2, fails: "cluster.kubeconfig: "},
		{args: []string{"more"}, code: 2, fails: "--help"},
	} {
		t.Setenv("KUBERNETES_SERVICE_HOST", "") // this is no pod
		out, errs, err := with(t, c.env, append([]string{"config", "check"}, c.args...)...)
		if Code(err) != c.code || !strings.Contains(errs, c.errs) || !strings.Contains(Message(err), c.fails) {
			t.Errorf("%q %q: code %d, %q, %q", c.env, c.args, Code(err), errs, Message(err))
		}
		// No cluster is right for a pod alone: it is warned of.
		const lost = "warning: cluster.kubeconfig is not set: k8guard run and k8guard discover start in a pod of the cluster only; " +
			"elsewhere write the path of what sh deploy/kubeconfig.sh k8guard-discover prints\n"
		warned := strings.Contains(errs, lost)
		if errs = strings.Replace(errs, lost, "", 1); warned != (c.code == 0 && !slices.Contains(c.args, "cluster.kubeconfig="+kubeconfig)) {
			t.Errorf("%q %q: of no cluster is warned: %v", c.env, c.args, warned)
		}
		if (c.code == 0) != (out == "the configuration is usable\n") || (c.errs == "") != (errs == "") {
			t.Errorf("%q %q: printed %q and %q", c.env, c.args, out, errs)
		}
		if strings.Contains(Message(err), "\x1b") {
			t.Errorf("%q: an escape sequence is printed: %q", c.args, Message(err))
		}
	}
}

func TestConfigHere(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("k8guard.yaml", []byte("cluster: {name: here}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, _, err := with(t, nil, "config", "print"); err != nil || !strings.Contains(out, "name: here\n") {
		t.Errorf("%s, %v", out, err)
	}
}

func TestConfigPrint(t *testing.T) {
	env := []string{"K8GUARD__NOTIFY__EMAIL__PASSWORD=hunter2"}
	text, _, err := with(t, env, "config", "print", "--set", "cluster.name=demo")
	if err != nil || strings.Contains(text, "hunter2") || !strings.Contains(text, "password: '***'") || !strings.Contains(text, "name: demo\n") {
		t.Errorf("%v: %s", err, text)
	}
	// What was printed is read again, but for the mask, which is refused.
	_, _, err = with(t, nil, "config", "check", "-c", write(t, "printed.yaml", text))
	if Code(err) != 2 || !strings.Contains(Message(err), "notify.email.password: is the mask") {
		t.Errorf("the mask: %v", err)
	}
	clean, _, err := with(t, nil, "config", "print")
	if err != nil {
		t.Fatal(err)
	}
	if again, _, err := with(t, nil, "config", "print", "-c", write(t, "clean.yaml", clean)); err != nil || again != clean {
		t.Errorf("%v: %s", err, again)
	}
	out, _, err := with(t, env, "config", "print", "-o", "json")
	if err != nil || !json.Valid([]byte(out)) || strings.Contains(out, "hunter2") {
		t.Errorf("%v: %s", err, out)
	}
	if _, _, err := with(t, nil, "config", "print", "-o", "toml"); Code(err) != 2 {
		t.Errorf("toml: %v", err)
	}
}

// TestConfigFlagIsOne: who has --config has -c, and the other way round.
func TestConfigFlagIsOne(t *testing.T) {
	var with []string
	for _, c := range New(Streams{}).Commands() {
		for _, c := range append(c.Commands(), c) {
			long, short := c.Flags().Lookup("config"), c.Flags().ShorthandLookup("c")
			if long != short {
				t.Errorf("%s: --config is %v, -c is %v", c.CommandPath(), long, short)
			}
			if long != nil {
				with = append(with, c.CommandPath())
			}
		}
	}
	if !slices.Contains(with, "k8guard scan") || !slices.Contains(with, "k8guard run") || len(with) < 4 {
		t.Errorf("only %q read a configuration", with)
	}
}

// Warnings are for whoever starts K8Guard or asks about its configuration, and in nobody else's way.
func TestWarningsAreSaidWhereTheyAreAskedFor(t *testing.T) {
	doubtful := write(t, "doubtful.yaml", "policies: [{name: a, ladder: {wait: 90s, lastWait: 90s}}]\nledger: {cassandra: {localDC: dc1}}\ndata: {dir: '"+t.TempDir()+"'}\n")
	for args, want := range map[string]bool{
		"config check": true, "run": true, "discover": true, "action": true, "report": true,
		"config print": false, "scan ../../examples": false, "notify test webhook/none": false, "notify preview email c-1": false,
		"ledger schema": false, "ledger export": false, "deadletter list": false, "cases": false, "status": false,
	} {
		ended, cancel := context.WithCancel(t.Context())
		cancel() // a target that starts all the same ends at once
		var errs bytes.Buffer
		root := New(Streams{In: strings.NewReader(""), Out: io.Discard, Err: &errs, Env: []string{"K8GUARD_CONFIG=" + doubtful, "K8GUARD_RMQ_PASSWORD=x"}})
		root.SetArgs(strings.Fields(args))
		_ = root.ExecuteContext(ended)
		said := strings.Contains(errs.String(), "warning: policies[0].ladder.wait is shorter") && strings.Contains(errs.String(), "warning: K8GUARD_RMQ_PASSWORD has no effect")
		if said != want || !want && strings.Contains(errs.String(), "warning: ") {
			t.Errorf("%s: %q", args, errs.String())
		}
	}
}
