package enforce

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

// The gate takes a chat's notice for a warning only where an id of the owner's, then and today,
// was mentioned; and never that of a webhook or Alertmanager.
func TestTheGateAndChats(t *testing.T) {
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	mapped := config.Notify{Slack: config.Slack{Users: []config.ChatUser{{Address: "shop@example.com", ID: "USHOP"}}}}
	for name, row := range map[string]struct {
		channel            string
		today              config.Notify
		owner              v1.Owner
		mentions, accepted []string
		want               bool
	}{
		"an id that is mapped":            {"slack", mapped, shopOwner(), []string{"USHOP"}, []string{"slack", "USHOP"}, true},
		"an id that is somebody else's":   {"slack", mapped, shopOwner(), []string{"UOTHER"}, []string{"slack", "UOTHER"}, false},
		"an id that is no longer mapped":  {"slack", config.Notify{}, shopOwner(), []string{"USHOP"}, []string{"slack", "USHOP"}, false},
		"a room":                          {"slack", mapped, shopOwner(), nil, []string{"slack"}, false},
		"an id that was not mentioned":    {"slack", mapped, shopOwner(), nil, []string{"slack", "USHOP"}, false},
		"an owner whom a tenant named":    {"slack", mapped, v1.Owner{Emails: []string{"shop@example.com"}}, []string{"USHOP"}, []string{"USHOP"}, false},
		"a webhook that says the address": {"webhook/email", mapped, shopOwner(), nil, []string{"webhook/email", "shop@example.com"}, false},
		"Alertmanager":                    {"alertmanager", mapped, shopOwner(), nil, []string{"alertmanager"}, false},
		"mail":                            {"email", mapped, shopOwner(), nil, []string{"shop@example.com"}, true},
	} {
		key := "notice/" + row.channel + "/" + name
		n := outbox.Notice{Key: key, State: outbox.Sent, Channel: row.channel, Owner: row.owner, Accepted: row.accepted,
			Digest: notify.Digest{Mentions: row.mentions, Items: []notify.Item{{Case: "c-1", Purpose: string(docket.Warning), N: 1}}}}
		value, err := json.Marshal(n)
		if err == nil {
			_, err = l.Put(t.Context(), ledger.Record{Key: key, Value: value})
		}
		if err != nil {
			t.Fatal(err)
		}
		e := &Enforcer{Settings: Settings{Store: l, Config: config.Config{Notify: row.today}}}
		told, err := e.notices(t.Context(), []docket.Case{{ID: "c-1", Notices: []docket.NoticeRef{{Key: key}}}}, nil)
		if err != nil || len(told) != 1 || told[0].Confirmed != row.want {
			t.Errorf("%s: %+v, %v", name, told, err)
		}
	}
}

// Of a notice that was told in part the gate counts that part, for whom it was taken, and no more.
func TestTheGateAndPartsOfANotice(t *testing.T) {
	l, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	mapped := config.Notify{Slack: config.Slack{Users: []config.ChatUser{{Address: "shop@example.com", ID: "USHOP"}}}}
	n := outbox.Notice{Key: "notice/slack/1", State: outbox.Unknown, Channel: "slack", Owner: shopOwner(),
		Told: []notify.Telling{{Case: "c-1", For: []string{"slack", "USHOP"}}, {Case: "c-2", For: []string{"slack"}}, {Case: "c-3", For: []string{"UOTHER"}}}}
	n.Digest.Mentions = []string{"USHOP", "UOTHER"}
	for _, id := range []string{"c-1", "c-2", "c-3", "c-4"} {
		n.Digest.Items = append(n.Digest.Items, notify.Item{Case: id, Purpose: string(docket.Warning), N: 1})
	}
	value, err := json.Marshal(n)
	if err == nil {
		_, err = l.Put(t.Context(), ledger.Record{Key: n.Key, Value: value})
	}
	if err != nil {
		t.Fatal(err)
	}
	e := &Enforcer{Settings: Settings{Store: l, Config: config.Config{Notify: mapped}}}
	told, err := e.notices(t.Context(), []docket.Case{{ID: "c-1", Notices: []docket.NoticeRef{{Key: n.Key}}}}, nil)
	if err != nil || len(told) != 1 || !told[0].Confirmed || !slices.Equal(told[0].Unheard, []string{"c-2", "c-3", "c-4"}) {
		t.Errorf("%+v, %v", told, err)
	}
}
