package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every command that asks a running K8Guard does so while its configuration is broken, and
// where it names another place by now.
func TestABrokenConfigurationKeepsNobodyFromAFreeze(t *testing.T) {
	socket := running(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"result": "done"}`)) })
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "k8guard.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	broken := write("rules: {IMAGE_REPOO: [\nreport: {socket: " + socket + "}\n")
	moved := write("data: {dir: /nowhere}\n")
	for _, command := range []string{"freeze --reason x", "unfreeze --reason x", "undo c-1 --reason x", "undo --since 2h --reason x", "ack c-1 --reason x",
		"breaker close --reason x", "cases", "case c-1", "whoowns shop"} {
		args := strings.Fields(command)
		if _, warned, err := with(t, nil, append(args, "-c", broken)...); err != nil || !strings.Contains(warned, "k8guard config check") {
			t.Errorf("%s with a broken file: %v, %q", command, err, warned)
		}
		if _, _, err := with(t, nil, append(args, "-c", moved)...); err == nil || !strings.Contains(Message(err), "--socket") {
			t.Errorf("%s where none listens: %v", command, err)
		}
		if _, warned, err := with(t, nil, append(args, "-c", moved, "--socket", socket)...); err != nil || warned != "" {
			t.Errorf("%s --socket: %v, %q", command, err, warned)
		}
	}
}

// Where a broken configuration is read leniently, it is said which socket was taken, and why.
func TestABrokenConfigurationSaysWhichSocketItNames(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_STATE_HOME", "/state")
	otherwise := `asking at "/state/k8guard/k8guard.sock" all the same, by the default data.dir, "/state/k8guard"`
	for text, want := range map[string]string{
		"report: {socket: /run/k.sock}\n": `asking at "/run/k.sock" all the same, which is its report.socket`,
		"data: {dir: mine}\n":             `asking at "` + here + `/mine/k8guard.sock" all the same, by its data.dir, "mine"`,
		"":                                otherwise,
		"data: {dir: [}\n":                otherwise,
	} {
		file := write(t, "broken.yaml", text+"rules: {IMAGE_REPOO: [\n")
		_, warned, err := with(t, nil, "freeze", "--reason", "x", "-c", file)
		if err == nil || !strings.Contains(warned, want) || !strings.Contains(warned, file) {
			t.Errorf("%q: %v, %s", text, err, warned)
		}
		if strings.Contains(want, here) && !strings.Contains(Message(err), here+"/mine/k8guard.sock") {
			t.Errorf("the socket is not named in full: %v", err)
		}
	}
}
