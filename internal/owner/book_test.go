package owner_test

import (
	"slices"
	"strings"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/owner"
)

func TestWhoIsReachedInAChat(t *testing.T) {
	users := func(id string) []config.ChatUser {
		return []config.ChatUser{{Address: "Ada@example.com", ID: id}, {Address: "eve@example.com", ID: "UEVE"}}
	}
	asked := v1.Owner{Emails: []string{"platform@example.com"}}
	b := owner.Book{Asked: asked, Teams: []config.Team{{Name: "pay", Emails: []string{"Pay@example.com", "bill@example.com"}, Slack: []string{"SPAY"}, HipChat: []string{"pay"}}},
		Config: config.Notify{Slack: config.Slack{Users: append(users("UADA"), config.ChatUser{Address: "platform@example.com", ID: "UPLATFORM"})},
			HipChat: config.HipChat{Users: users("ada"), TagOwners: true}}}
	platform := func(chat []string, emails ...string) v1.Owner {
		return v1.Owner{Emails: emails, Platform: true, Chat: chat}
	}
	for name, row := range map[string]struct {
		channel   string
		owner     v1.Owner
		ids, tags []string
	}{
		"an address that is mapped":             {"slack", platform(nil, "ada@example.com"), []string{"UADA"}, nil},
		"two of them":                           {"slack", platform(nil, "ada@example.com", "eve@example.com"), []string{"UADA", "UEVE"}, nil},
		"one that is not":                       {"slack", platform(nil, "bob@example.com"), nil, nil},
		"a team":                                {"slack", platform(nil, "bill@example.com", "pay@example.com"), []string{"SPAY"}, nil},
		"one of a team's addresses":             {"slack", platform(nil, "pay@example.com"), nil, nil},
		"the Namespace's own names are tags":    {"hipchat", platform([]string{"bob"}, "ada@example.com"), []string{"ada"}, []string{"bob"}},
		"they are HipChat's alone":              {"slack", platform([]string{"bob"}, "ada@example.com"), []string{"UADA"}, nil},
		"an owner whom a tenant named":          {"slack", v1.Owner{Emails: []string{"ada@example.com"}}, nil, nil},
		"tags of one whom a tenant named":       {"hipchat", v1.Owner{Emails: []string{"x@example.com"}, Chat: []string{"bob"}}, nil, nil},
		"whom K8Guard asks":                     {"slack", asked, []string{"UPLATFORM"}, nil},
		"nobody":                                {"slack", v1.Owner{}, nil, nil},
		"mail knows no ids":                     {"email", platform(nil, "ada@example.com"), nil, nil},
		"nor does a webhook, whatever its name": {"webhook/slack", platform([]string{"bob"}, "ada@example.com"), nil, nil},
		"nor Alertmanager":                      {"alertmanager", platform(nil, "ada@example.com"), nil, nil},
	} {
		ids, tags := b.Reach(row.channel, row.owner)
		if !slices.Equal(ids, row.ids) || !slices.Equal(tags, row.tags) {
			t.Errorf("%s: %v, %v; want %v, %v", name, ids, tags, row.ids, row.tags)
		}
	}
	b.Config.HipChat.TagOwners = false
	if _, tags := b.Reach("hipchat", platform([]string{"bob"}, "ada@example.com")); tags != nil {
		t.Errorf("tagged all the same: %v", tags)
	}
}

// The chain carries the names of the Namespace's annotation with the owner that it names.
func TestTheNamespaceNamesInAChat(t *testing.T) {
	c := owner.Chain{Config: config.Owners{EmailAnnotation: key, ChatAnnotation: "team/hipchat-ids"}}
	who, _ := c.Named(owner.Subject{Namespace: "shop", Annotations: map[string]string{key: "a@example.com", "team/hipchat-ids": "@ada, bob,here, x y,ada"}})
	if !slices.Equal(who.Chat, []string{"ada", "bob"}) || who.Key() != "a@example.com" {
		t.Errorf("%+v", who)
	}
	c.Teams = []config.Team{{Name: "pay", Emails: []string{"pay@example.com"}, Namespaces: []string{"shop"}}}
	if who, _ = c.Named(owner.Subject{Namespace: "shop", Annotations: map[string]string{"team/hipchat-ids": "ada"}}); who.Chat != nil {
		t.Errorf("a team is tagged by the Namespace's names: %+v", who)
	}
}

func FuzzChatNames(f *testing.F) {
	f.Add("@ada, bob")
	f.Add("all,@here,ALL.,here-x,a b,<!channel>,a\nb")
	f.Fuzz(func(t *testing.T, value string) {
		names := owner.ChatNames(value)
		if len(names) > 20 {
			t.Errorf("%d names", len(names))
		}
		for _, n := range names {
			if strings.ContainsAny(n, "@<>!, \r\n\x00&/:") || n == "" || len(n) > 50 || slices.Contains([]string{"all", "here", "everyone"}, strings.ToLower(strings.Trim(n, "._-"))) {
				t.Errorf("%q is a name in %q", n, value)
			}
		}
	})
}
