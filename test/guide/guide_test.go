// Package guide follows CONTRIBUTING.md to the letter.
//
// Purpose: who adds a rule or a channel by the guide gets one that works. What is written, changed
// and run is read from the document, so a guide that has gone wrong fails here.
//
// Concurrency: the guides are followed one after the other, each in a copy of the tree.
//
// Guarantees: nothing outside the copies is written, but Go's cache.
//
// It will not: run what the document's head asks for before a change is sent (lint, every test):
// that is what "make test" does, and it runs this.
package guide

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

// start copies the tree and follows a section in it.
func start(t *testing.T, heading string) tree {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds K8Guard, from a copy")
	}
	if os.Getenv(followed) != "" {
		t.Skip("this is the copy in which the guide is followed")
	}
	w := newTree(t)
	g, err := read(w.read("CONTRIBUTING.md"), heading)
	if err != nil {
		t.Fatal(err)
	}
	if len(g.steps) < 5 || len(g.commands) < 3 {
		t.Fatalf("the guide has %d steps and %d commands", len(g.steps), len(g.commands))
	}
	w.follow(g)
	return w
}

// says runs a line in the copy, wants an exit code, and wants words in what it says.
func (w tree) says(line string, code string, words ...string) {
	w.t.Helper()
	out, err := w.run(line + "; echo code $?")
	if err != nil || !strings.HasSuffix(out, "code "+code+"\n") {
		w.t.Errorf("%s: want code %s (%v)\n%s", line, code, err, out)
	}
	for _, word := range words {
		if !strings.Contains(out, word) {
			w.t.Errorf("%s: it does not say %q\n%s", line, word, out)
		}
	}
}

func TestARuleInTenMinutes(t *testing.T) {
	w := start(t, "A rule, in ten minutes")
	if !strings.Contains(w.read("docs/generated/rules.md"), "\n## HOST_NETWORK\n") {
		t.Error("docs/generated/rules.md has no HOST_NETWORK")
	}
	w.says("bin/k8guard rules list", "0", "HOST_NETWORK")
	const manifests = "internal/rule/podsecurity/testdata/HOST_NETWORK/"
	w.says("bin/k8guard scan "+manifests+"bad-deployment.yaml", "1", "HOST_NETWORK", "the pod uses its node's network (hostNetwork: true)")
	if out, err := w.run("bin/k8guard scan -o json " + manifests); strings.Count(out, `"rule": "HOST_NETWORK"`) != 2 {
		t.Errorf("two of the manifests break it, two do not (%v)\n%s", err, out)
	}
}

func TestAChannelInTenMinutes(t *testing.T) {
	w := start(t, "A channel, in ten minutes")
	w.says("go test -short -v -run TestContract ./internal/notify/mattermost", "0",
		"--- PASS: TestContract/unknown_when_cut_after_the_message", "--- PASS: TestContract/hostile_text_does_not_break_out",
		"--- PASS: TestContract/a_status_says_what_is_known")
	if !strings.Contains(w.read("docs/generated/config.md"), "\n## notify.mattermost\n") {
		t.Error("docs/generated/config.md has no notify.mattermost")
	}
	var got http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		got = r.Header
		body, _ = io.ReadAll(r.Body)
		rw.WriteHeader(http.StatusCreated)
	}))
	set := " --set notify.mattermost.channel=4xp9fdt77pncbef59f4k1qe83o --set notify.mattermost.token=t0ken --set notify.mattermost.url=" + server.URL
	w.says("bin/k8guard config check"+set, "0", "the configuration is usable")
	w.says("bin/k8guard notify test mattermost"+set, "0", "taken: taken for the channel; for mattermost")
	server.Close() // and with it, the handler is over
	if got.Get("Authorization") != "Bearer t0ken" || !strings.Contains(string(body), "k8guard notify test was run") {
		t.Errorf("the server got %v\n%s", got, body)
	}
	w.says("bin/k8guard notify test mattermost"+set, "1", "not taken: connect: nobody takes the connection")
	w.says("bin/k8guard config check --set notify.mattermost.url=https://chat.example.com", "2", "notify.mattermost.channel", "notify.mattermost.token")
}
