package app

import (
	"context"
	"errors"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/alertmanager"
	"github.com/k8guard/k8guard/internal/notify/email"
	"github.com/k8guard/k8guard/internal/notify/hipchat"
	"github.com/k8guard/k8guard/internal/notify/slack"
	"github.com/k8guard/k8guard/internal/notify/webhook"
	"github.com/k8guard/k8guard/internal/owner"
)

// sender is a channel as the commands and the checks use it.
type sender interface {
	notify.Channel
	// Ready says what would keep a notice from going out, as far as files tell.
	Ready() error
	// Preview is what would be sent.
	Preview(d notify.Digest) ([]byte, error)
}

// senders makes every channel that the configuration names, one line for each. It dials nothing.
func senders(c config.Config, threads slack.Threads, now func() time.Time) (all []sender, err error) {
	add := func(named bool, made func() (sender, error)) {
		if !named {
			return
		}
		s, wrong := made()
		if err = errors.Join(err, wrong); wrong == nil {
			all = append(all, s)
		}
	}
	n := c.Notify
	add(n.Email.Host != "", func() (sender, error) { return email.New(n.Email, now) })
	add(n.Slack.Channel != "", func() (sender, error) { return slack.New(n.Slack, threads, now) })
	add(n.HipChat.BaseURL != "", func() (sender, error) { return hipchat.New(n.HipChat, now) })
	for _, one := range n.Webhook {
		add(true, func() (sender, error) { return webhook.New(one, now) })
	}
	add(n.Alertmanager.URL != "", func() (sender, error) { return alertmanager.New(n.Alertmanager, now) })
	return all, err
}

// channels makes the channels of an instance, and says when nothing that they deliver counts.
func (in *instance) channels() ([]notify.Channel, error) {
	all, err := senders(in.Config, threads{in.store}, in.Now)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		in.Log.Warn("no channel is configured: nobody is told, so nothing is acted on", "next", "set notify.email, or another of notify")
	} else if !personal(in.Config, in.chain.Teams) {
		in.Log.Warn("no channel reaches an owner personally: what they are told counts for nothing, so nothing is acted on",
			"next", "set notify.email, or map owners to ids in notify.slack.users, notify.hipchat.users or the teams file (docs/operators/chat.md)")
	}
	var out []notify.Channel
	for _, s := range all {
		out = append(out, s)
	}
	return out, nil
}

// personal reports whether some channel may reach some owner personally.
func personal(c config.Config, teams []config.Team) bool {
	slackOn, hipChatOn := c.Notify.Slack.Channel != "", c.Notify.HipChat.BaseURL != ""
	if c.Notify.Email.Host != "" || slackOn && len(c.Notify.Slack.Users) > 0 || hipChatOn && len(c.Notify.HipChat.Users) > 0 {
		return true
	}
	for _, t := range teams {
		if slackOn && len(t.Slack) > 0 || hipChatOn && len(t.HipChat) > 0 {
			return true
		}
	}
	return false
}

// book says which ids reach an owner.
func book(c config.Config, teams []config.Team) owner.Book {
	return owner.Book{Config: c.Notify, Teams: teams, Asked: owner.Resolve(v1.Owner{}, c.Owners)}
}

// threads keeps Slack's threads in the ledger, one record for an owner.
type threads struct{ ledger.Records }

func threadsKey(owner string) string { return "threads/" + notify.Slack + "/" + owner }

// Read implements slack.Threads.
func (t threads) Read(ctx context.Context, owner string) (slack.Book, error) {
	return ledger.Read[slack.Book](ctx, t.Records, threadsKey(owner))
}

// Note implements slack.Threads.
func (t threads) Note(ctx context.Context, owner, caseID string, one slack.Thread) error {
	_, err := ledger.UpdateRecord(ctx, t.Records, threadsKey(owner), func(b *slack.Book) (bool, error) {
		b.Set(caseID, one)
		return true, nil
	})
	return err
}

// noThreads is for a command, which has no ledger: each message begins a thread.
type noThreads struct{}

func (noThreads) Read(context.Context, string) (slack.Book, error)         { return slack.Book{}, nil }
func (noThreads) Note(context.Context, string, string, slack.Thread) error { return nil }
