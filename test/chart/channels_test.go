package chart

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
)

// hookKey signs what the webhook gets.
const hookKey = "a-key-of-the-story,-for-loopback-only"

// secretsOfChannels are what the platform's Secrets hold, by Secret and key; CHAT is where the
// recorder listens.
const secretsOfChannels = `k8guard-chat slack=of-slack hipchat=of-hipchat
k8guard-alertmanager token=of-alertmanager
k8guard-audit url=CHAT/webhook?token=of-webhook`

// recorder takes what Slack, HipChat, Alertmanager and a webhook are sent, by the first part of the
// path, and notes who came with the secret that is right there.
type recorder struct {
	*httptest.Server
	mu    sync.Mutex
	known map[string]int
	wrong []string
}

func newRecorder(t *testing.T) *recorder {
	r := &recorder{known: map[string]int{}}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *recorder) take(w http.ResponseWriter, q *http.Request) {
	channel, _, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/"), "/")
	body, _ := io.ReadAll(q.Body)
	right := q.Header.Get("Authorization") == "Bearer of-"+channel
	switch channel {
	case "slack": // its client writes the token into the form
		form, err := url.ParseQuery(string(body))
		right = err == nil && form.Get("token") == "of-slack"
	case "webhook":
		sum := hmac.New(sha256.New, []byte(hookKey))
		_, _ = sum.Write([]byte(q.Header.Get("Webhook-Id") + "." + q.Header.Get("Webhook-Timestamp") + "." + string(body)))
		right = q.URL.Query().Get("token") == "of-webhook" && q.Header.Get("Webhook-Signature") == "v1,"+base64.StdEncoding.EncodeToString(sum.Sum(nil))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !right {
		r.wrong = append(r.wrong, q.Method+" "+q.URL.String())
		w.WriteHeader(http.StatusForbidden)
		return
	}
	r.known[channel]++
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"ok":true,"channel":"C0123ABCD","ts":"1700000000.000100"}`)
}

// heard are the channels that came with their secret; wrong are requests without.
func (r *recorder) heard() (channels, wrong []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.known)), slices.Clone(r.wrong)
}

// secrets makes those of the channels, as a platform team would.
func (s *story) secrets() {
	for line := range strings.Lines(secretsOfChannels) {
		fields := strings.Fields(strings.ReplaceAll(line, "CHAT", s.chat.URL))
		args := []string{"-n", "k8guard", "create", "secret", "generic", fields[0]}
		for _, pair := range fields[1:] {
			args = append(args, "--from-literal="+pair)
		}
		if fields[0] == "k8guard-audit" {
			args = append(args, "--from-literal=key="+hookKey)
		}
		s.kubectl(args...)
	}
}
