// Package slack posts each case into a Slack channel: one thread for a case.
//
// Purpose: the first message about a case is the root of its thread, what comes later stands in
// it, and the root says so when the case is over.
//
// Concurrency: a [Channel] may be used from many goroutines; one limiter paces them, for Slack
// takes about one message a second in a channel.
//
// Guarantees: a notice is confirmed when Slack took a message for each of its cases, and taken for
// those whom it mentions and who were in the channel. What stopped half-way goes on where it
// stopped: what is said already is on record, and is not said again.
// Text of a tenant's is escaped plain text; only ids of the platform's records are mentioned.
// The token is in no outcome.
//
// It will not: count as a warning where it mentions nobody who is in the channel: Slack shows it to
// no other, and says nothing of that.
package slack

import (
	"context"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/post"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

// Threads remembers where the thread of a case is, over restarts. A thread that is forgotten
// begins anew.
type Threads interface {
	// Read returns what is known for an owner.
	Read(ctx context.Context, owner string) (Book, error)
	// Note keeps one thread; what others noted meanwhile stays.
	Note(ctx context.Context, owner, caseID string, t Thread) error
}

// Slack takes about one message a second, and a few at once.
const (
	pace  = 1100 * time.Millisecond
	burst = 4
)

// Channel is one Slack channel.
type Channel struct {
	conf    config.Slack
	client  *post.Client
	token   post.Secret
	threads Threads
	now     func() time.Time
	limit   *rate.Limiter
	members members
}

// New checks the configuration and dials nothing.
func New(conf config.Slack, threads Threads, now func() time.Time) (*Channel, error) {
	client, err := post.New("notify.slack.caFile", conf.CAFile, now)
	if err != nil {
		return nil, err
	}
	c := &Channel{conf: conf, client: client, threads: threads, now: now, limit: rate.NewLimiter(rate.Every(pace), burst),
		token: post.NewSecret("notify.slack.token", conf.Token, conf.TokenFile)}
	c.conf.Token = config.Secret{}
	return c, nil
}

// Name is "slack".
func (c *Channel) Name() string { return notify.Slack }

// Ready says what would keep a message from going out, as far as the configuration's files tell.
func (c *Channel) Ready() error {
	_, err := c.token()
	return err
}

// Send tries once, within ctx and at most [post.Limit].
func (c *Channel) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	ctx, cancel := context.WithTimeout(ctx, post.Limit)
	defer cancel()
	token, err := c.token()
	if err != nil {
		return notify.Outcome{State: notify.Failed, Detail: err.Error()}
	}
	book, err := c.threads.Read(ctx, d.Owner.Key())
	if err != nil {
		return notify.Outcome{State: notify.Failed, Detail: "where the threads are cannot be read from the ledger"}
	}
	s := &session{Channel: c, digest: d, book: book,
		api: slack.New(token, slack.OptionAPIURL(strings.TrimSuffix(c.conf.BaseURL, "/")+"/"), slack.OptionHTTPClient(c.client))}
	return s.send(ctx)
}

// named are the cases that a notice speaks of, in a reader's order.
func named(d notify.Digest) (items []notify.Item) {
	groups, _ := wording.Groups(d)
	for _, g := range groups {
		items = append(items, g.Items...)
	}
	return items
}
