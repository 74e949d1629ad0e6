package cli

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/report"
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

// A command that is printed finds the same K8Guard from any folder.
func TestAPrintedCommandNamesItsConfiguration(t *testing.T) {
	act := docket.Enforcement{Action: docket.ScaleToZero, State: docket.Done, Cases: []string{"c-1"}}
	socket := running(t, func(w http.ResponseWriter, r *http.Request) {
		var answer any = report.CaseView{Case: docket.Case{ID: "c-1"}, Docket: docket.Docket{Enforcement: &act}}
		if r.URL.Path == "/api/v1/status" {
			answer = report.Status{Breaker: report.Breaker{Open: true}}
		}
		if r.Method == http.MethodPost {
			answer = report.Answer{Result: "done"}
		}
		_ = json.NewEncoder(w).Encode(answer)
	})
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"k8guard.yaml", "my own.yaml"} {
		if err := os.WriteFile(name, []byte("report: {socket: "+socket+"}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for flags, want := range map[string]string{
		"":                      "",
		"-c\x00k8guard.yaml":    " --config " + here + "/k8guard.yaml",
		"-c\x00my own.yaml":     " --config '" + here + "/my own.yaml'",
		"--socket\x00" + socket: " --socket " + socket,
	} {
		for command, before := range map[string]string{"case c-1": "k8guard undo c-1", "status": "k8guard breaker close", "undo c-1 --reason x": "k8guard breaker close"} {
			args := strings.Fields(command)
			if flags != "" {
				args = append(args, strings.Split(flags, "\x00")...)
			}
			if out, _, err := with(t, nil, args...); err != nil || !strings.Contains(out, before+want+" --reason ") {
				t.Errorf("%s %q: %v, no %q in\n%s", command, flags, err, before+want, out)
			}
		}
	}
}

// The pages name the file of what runs, unless every command looks there anyway.
func TestThePagesNameTheConfiguration(t *testing.T) {
	t.Chdir(t.TempDir())
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("k8guard.yaml", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ named, env, socket, want string }{{"", "", "data/s", ""}, {"its.yaml", "", "/run/s", "--config " + here + "/its.yaml"},
		{"its.yaml", "", "data/s", "--socket " + here + "/data/s"}, {"", "/etc/it's.yaml", "/run/s", `--config '/etc/it'\''s.yaml'`}} {
		if got := flagsOf(Streams{Env: []string{"K8GUARD_CONFIG=" + test.env}}, test.named, test.socket); got != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

// A path in a file is relative to the folder of who reads it: then the socket is named, in full.
func TestARelativeDataFolderNamesTheSocket(t *testing.T) {
	r := reach{config: "its.yaml"}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.how("data/k8guard.sock"), " --socket "+here+"/data/k8guard.sock"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := r.how("/run/k8guard.sock"), " --config "+here+"/its.yaml"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
