package app

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/notify/slack"
)

// everyChannel is a configuration with all of them, their secrets in a folder of the test.
func everyChannel(t *testing.T) (config.Config, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"token": "t0ken-of-a-test", "url": "https://far.example/in", "key": strings.Repeat("k", 32), "password": "p"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	c := config.Default()
	c.Notify.Email.Host, c.Notify.Email.From, c.Notify.Email.Domains = "mail.example", "k@example.com", []string{"example.com"}
	c.Notify.Email.Username, c.Notify.Email.PasswordFile = "k", in("password")
	c.Notify.Slack.Channel, c.Notify.Slack.TokenFile = "C0123ABCD", in("token")
	c.Notify.HipChat = config.HipChat{BaseURL: "https://chat.example", Room: "r", TokenFile: in("token")}
	c.Notify.Webhook = []config.Webhook{{Name: "a", URLFile: in("url"), KeyFile: in("key")}, {Name: "b", URLFile: in("url"), KeyFile: in("key")}}
	c.Notify.Alertmanager = config.Alertmanager{URL: "https://alerts.example", TokenFile: in("token")}
	return c, dir
}

func TestEveryChannelIsMade(t *testing.T) {
	c, dir := everyChannel(t)
	names, err := Channels(c)
	if want := []string{"email", "slack", "hipchat", "webhook/a", "webhook/b", "alertmanager"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%v, %v", names, err)
	}
	if err := Check(c); err != nil {
		t.Errorf("a whole configuration: %v", err)
	}
	for _, name := range []string{"token", "url", "key", "password"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	err = Check(c)
	for _, key := range []string{"notify.email.passwordFile", "notify.slack.tokenFile", "notify.hipchat.tokenFile", "notify.webhook.a.urlFile", "notify.webhook.b.urlFile", "notify.alertmanager.tokenFile"} {
		if err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s is not named: %v", key, err)
		}
	}
	c.Notify.Slack.CAFile, c.Notify.Webhook[0].CAFile = "/none.pem", "/none.pem"
	if _, err := Channels(c); err == nil || !strings.Contains(err.Error(), "notify.slack.caFile") || !strings.Contains(err.Error(), "notify.webhook.a.caFile") {
		t.Errorf("%v", err)
	}
}

// Whether anything counts is known at the start.
func TestWhatCountsAtAll(t *testing.T) {
	user := []config.ChatUser{{Address: "a@b.cd", ID: "U01"}}
	for name, row := range map[string]struct {
		change func(*config.Config)
		teams  []config.Team
		want   bool
	}{
		"rooms alone":                    {func(*config.Config) {}, nil, false},
		"mail":                           {func(c *config.Config) { c.Notify.Email.Host = "mail.example" }, nil, true},
		"a mapped user":                  {func(c *config.Config) { c.Notify.Slack.Users = user }, nil, true},
		"a team":                         {func(*config.Config) {}, []config.Team{{Slack: []string{"S01"}}}, true},
		"a team of a chat that is off":   {func(c *config.Config) { c.Notify.Slack.Channel = "" }, []config.Team{{Slack: []string{"S01"}}}, false},
		"a user of a chat that is off":   {func(c *config.Config) { c.Notify.HipChat.BaseURL, c.Notify.HipChat.Users = "", user }, nil, false},
		"a user of a room that is there": {func(c *config.Config) { c.Notify.HipChat.Users = user }, nil, true},
	} {
		c, _ := everyChannel(t)
		c.Notify.Email.Host = ""
		row.change(&c)
		if got := personal(c, row.teams); got != row.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Threads are in the ledger: another process finds them, and two that note at once lose nothing.
func TestThreadsOutliveARestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ledger.db")
	l, err := sqlite.Open(t.Context(), file, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	for _, id := range []string{"c-1", "c-2", "c-3", "c-4"} {
		group.Go(func() {
			if err := (threads{l}).Note(t.Context(), "a@b.cd", id, slack.Thread{Channel: "C1", TS: id, At: time.Now()}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = sqlite.Open(t.Context(), file, time.Now); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	b, err := threads{l}.Read(t.Context(), "a@b.cd")
	if err != nil || len(b.Threads) != 4 || b.Threads["c-3"].TS != "c-3" {
		t.Errorf("%+v, %v", b, err)
	}
	if b, err = (threads{l}).Read(t.Context(), "other@b.cd"); err != nil || len(b.Threads) != 0 {
		t.Errorf("another owner's: %+v, %v", b, err)
	}
}

// What the configuration can name is made, in the order of its keys; a channel that is not made
// would be taken and tell nobody.
func TestEveryKeyOfNotifyIsAChannel(t *testing.T) {
	c, _, err := config.Load(config.Source{File: "../config/testdata/full.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for i, v := 0, reflect.ValueOf(&c.Notify).Elem(); i < v.NumField(); i++ {
		f := v.Field(i)
		if f.Kind() == reflect.Slice {
			f = f.Index(0)
		}
		if f.Kind() == reflect.Struct {
			f.FieldByName("CAFile").SetString("") // it names none that is here
			want = append(want, v.Type().Field(i).Tag.Get("yaml"))
		}
	}
	names, err := Channels(c)
	for i, name := range names {
		names[i], _, _ = strings.Cut(name, "/")
	}
	if err != nil || len(want) < 5 || !slices.Equal(names, want) {
		t.Errorf("notify has %v, and %v are made (%v): a channel is one line in senders", want, names, err)
	}
}
