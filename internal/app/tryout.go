package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/action"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/wording"
	"github.com/k8guard/k8guard/internal/outbox"
	"github.com/k8guard/k8guard/internal/owner"
)

// Preview is what a channel would send about a case.
type Preview struct {
	Channel string   `json:"channel"`
	To      []string `json:"to"` // the owner's addresses
	// Mentions are the ids by which the channel reaches the owner personally.
	Mentions []string `json:"mentions,omitempty"`
	// Counts says whether it is a warning that counts before an act when it is taken; Why, why so.
	Counts bool   `json:"counts"`
	Why    string `json:"why"`
	Body   []byte `json:"-"`
}

// Channels are the names of the configured channels.
func Channels(c config.Config) (names []string, err error) {
	all, err := senders(c, noThreads{}, time.Now)
	for _, s := range all {
		names = append(names, s.Name())
	}
	return names, err
}

// TryChannel sends a message that says it is a test. To are the addresses of the owner that it
// is for; empty means the fallback's.
func TryChannel(ctx context.Context, c config.Config, channel string, to []string) (notify.Outcome, error) {
	s, b, err := tryOut(c, channel)
	if err != nil {
		return notify.Outcome{}, err
	}
	if err := s.Ready(); err != nil {
		return notify.Outcome{}, err
	}
	who := owner.Resolve(v1.Owner{}, c.Owners)
	if len(to) > 0 {
		who = v1.Owner{Platform: true, From: "--to of k8guard notify test"}
		who.Emails, _ = owner.Addresses(strings.Join(to, ","))
	}
	if len(who.Emails) == 0 {
		who.From = "nobody is named, by --to or by owners.fallback"
	}
	if channel == notify.Email && len(who.Emails) == 0 {
		return notify.Outcome{}, errors.New("nobody to write to; name an address with --to, or set owners.fallback")
	}
	now := time.Now().UTC()
	d := notify.Digest{ID: fmt.Sprintf("test/%s/%d", channel, now.UnixNano()), Cluster: c.Cluster.Name, To: who.Emails, Owner: who, At: now, URL: c.Report.URL,
		Items: []notify.Item{{Case: fmt.Sprintf("test-%d", now.Unix()), Purpose: string(wording.Trial), Rule: "TEST", Title: "Channel " + channel,
			Severity: "low", Message: "k8guard notify test was run; nothing is wrong, and nothing follows",
			Root: v1.Root{Kind: "Test", Namespace: "none", Name: "none"}}}}
	d.Mentions, d.Tags = b.Reach(channel, who)
	return s.Send(ctx, d), nil
}

// PreviewCase composes what a channel would say of a case now, as the ladder stands.
func PreviewCase(c config.Config, channel string, d docket.Docket, caseID string) (Preview, error) {
	s, b, err := tryOut(c, channel)
	if err != nil {
		return Preview{}, err
	}
	rules, err := engine(c)
	if err != nil {
		return Preview{}, err
	}
	found := d.Find(caseID)
	if found == nil {
		return Preview{}, fmt.Errorf("no case %s is on record of %s", caseID, d.Root)
	}
	e := action.New(action.Settings{Config: c, Clusters: []v1.Cluster{{Name: d.Cluster}}, Rules: rules.Rules(), Reach: b.Reach, Now: time.Now})
	digest := e.Preview(d, *found, channel)
	p := Preview{Channel: channel, To: listed(digest.To), Mentions: digest.Mentions}
	p.Counts, p.Why = counts(outbox.Notice{State: outbox.Sent, Channel: channel, Owner: digest.Owner, Digest: digest})
	p.Body, err = s.Preview(digest)
	return p, err
}

// counts says whether a notice, once it is taken, is a warning that counts before an act, and why.
func counts(n outbox.Notice) (bool, string) {
	warns := slices.ContainsFunc(n.Digest.Items, func(it notify.Item) bool { return wording.PurposeOf(it) == docket.Warning })
	switch {
	case !warns:
		return false, "it is no warning"
	case n.Beside():
		return false, "it reaches nobody personally"
	case !n.Owner.Platform:
		return false, "the platform has not named the owner"
	}
	return true, "taken for whom it reaches, it is a confirmed warning"
}

// tryOut finds a configured channel, and who is reached by it.
func tryOut(c config.Config, channel string) (sender, owner.Book, error) {
	all, err := senders(c, noThreads{}, time.Now)
	if err != nil {
		return nil, owner.Book{}, err
	}
	rules, err := engine(c)
	if err != nil {
		return nil, owner.Book{}, err
	}
	known, err := chain(c, ruleIDs(rules))
	if err != nil {
		return nil, owner.Book{}, err
	}
	var names []string
	for _, s := range all {
		if s.Name() == channel {
			return s, book(c, known.Teams), nil
		}
		names = append(names, s.Name())
	}
	if len(names) == 0 {
		return nil, owner.Book{}, errors.New("no channel is configured; set notify.email, or another of notify")
	}
	return nil, owner.Book{}, fmt.Errorf("no channel %q is configured; there is %s", channel, strings.Join(names, ", "))
}
