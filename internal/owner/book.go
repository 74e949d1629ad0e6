package owner

import (
	"slices"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
)

// maxNames bounds the names that one Namespace tags.
const maxNames = 20

// ChatNames reads a comma-separated list of names in a chat, as an annotation holds it. What is
// no plain name, or would call everybody, is left out, as is what comes after many.
func ChatNames(value string) (names []string) {
	for entry := range strings.SplitSeq(value, ",") {
		name := strings.TrimPrefix(strings.Trim(entry, " \t"), "@")
		if config.HipChatID(name) && !slices.Contains(names, name) && len(names) < maxNames {
			names = append(names, name)
		}
	}
	return names
}

// Book says by which ids a chat reaches an owner: those that the configuration or the teams file
// maps, which are the platform's own records.
type Book struct {
	Config config.Notify
	Teams  []config.Team
	// Asked is whom K8Guard asks when a case needs a human: mapped ids reach them too, though
	// nothing that they are told counts.
	Asked v1.Owner
}

// Reach returns the ids that a channel mentions for an owner, and those that it tags beside. Only
// an owner whom the platform named has any; a channel that is no chat knows none.
func (b Book) Reach(channel string, o v1.Owner) (ids, tags []string) {
	if !o.Platform && (o.Key() == "" || o.Key() != b.Asked.Key()) {
		return nil, nil
	}
	var users []config.ChatUser
	var team func(config.Team) []string
	switch channel {
	case notify.Slack:
		users, team = b.Config.Slack.Users, func(t config.Team) []string { return t.Slack }
	case notify.HipChat:
		users, team = b.Config.HipChat.Users, func(t config.Team) []string { return t.HipChat }
		if b.Config.HipChat.TagOwners && o.Platform {
			tags = o.Chat
		}
	default:
		return nil, nil
	}
	for _, u := range users {
		if slices.Contains(o.Emails, strings.ToLower(u.Address)) {
			ids = append(ids, u.ID)
		}
	}
	for _, t := range b.Teams {
		if o.Platform && sameAddresses(t.Emails, o.Emails) {
			ids = append(ids, team(t)...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), tags
}

// sameAddresses reports whether a team is who owns: an owner's addresses are lower-cased, sorted
// and once each.
func sameAddresses(team, owner []string) bool {
	valid, _ := Addresses(strings.Join(team, ","))
	return len(valid) > 0 && slices.Equal(valid, owner)
}
