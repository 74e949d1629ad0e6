// Package slack posts each case into a Slack channel: one thread for a case.
//
// Purpose: the first message about a case is the root of its thread, what comes later stands in
// it, and the root says so when the case is over.
//
// Concurrency: a [Channel] may be used from many goroutines; one limiter paces them, for Slack
// takes about one message a second in a channel.
//
// Guarantees: a notice is confirmed when Slack took a message for each of its cases. What stopped
// half-way goes on where it stopped: what is said already is on record, and is not said again.
// Text of a tenant's is escaped plain text; only ids of the platform's records are mentioned.
// The token is in no outcome.
//
// It will not: count as a warning where it mentions nobody: see [notify.Digest].
package slack

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"golang.org/x/time/rate"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
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
	items := named(d)
	for i, it := range items {
		if out := s.tell(ctx, it, i == 0); out != nil {
			out.Detail = fmt.Sprintf("case %d of %d: %s", i+1, len(items), out.Detail)
			if s.unnoted && out.State == notify.Failed {
				out.State = notify.Unknown // trying again would say some of it again
			}
			return *out
		}
	}
	return notify.Outcome{State: notify.Confirmed, Detail: "posted", Accepted: append([]string{c.Name()}, mentioned(d.Mentions)...)}
}

// named are the cases that a notice speaks of, in a reader's order.
func named(d notify.Digest) (items []notify.Item) {
	groups, _ := wording.Groups(d)
	for _, g := range groups {
		items = append(items, g.Items...)
	}
	return items
}

// session is one try of one notice.
type session struct {
	*Channel
	api     *slack.Client
	digest  notify.Digest
	book    Book
	unnoted bool // something was said that is not on record
}

// tell says one case, unless an earlier try did; nil means that it is said.
func (s *session) tell(ctx context.Context, it notify.Item, first bool) *notify.Outcome {
	t := s.book.Threads[it.Case]
	over := wording.PurposeOf(it) == docket.AllClear
	if !slices.Contains(t.Said, s.digest.ID) {
		next, out := s.say(ctx, it, t, first)
		if out != nil {
			return out
		}
		t = next
		s.note(ctx, it.Case, t)
	}
	if !over || t.Over {
		return nil
	}
	if out := s.close(ctx, it, t); out != nil {
		return out
	}
	t.Over = true
	s.note(ctx, it.Case, t)
	return nil
}

func (s *session) note(ctx context.Context, caseID string, t Thread) {
	s.book.set(caseID, t)
	if err := s.threads.Note(ctx, s.digest.Owner.Key(), caseID, t); err != nil {
		s.unnoted = true
	}
}

// say posts a message: into the thread that goes on, else as the root of a new one.
func (s *session) say(ctx context.Context, it notify.Item, t Thread, first bool) (Thread, *notify.Outcome) {
	if t.Over || t.TS == "" {
		t = Thread{}
	}
	channel, ts, err := s.post(ctx, it, t, first)
	if err != nil && t.TS != "" && gone(err) {
		t = Thread{}
		channel, ts, err = s.post(ctx, it, t, first)
	}
	if err != nil {
		out := outcomeOf(err)
		return t, &out
	}
	if t.TS == "" {
		t.Channel, t.TS = channel, ts
	}
	t.At = s.digest.At
	t.Said = append(t.Said[max(0, len(t.Said)-maxSaid+1):], s.digest.ID)
	return t, nil
}

func (s *session) post(ctx context.Context, it notify.Item, t Thread, first bool) (channel, ts string, err error) {
	if err := s.wait(ctx); err != nil {
		return "", "", err
	}
	options := s.message(it, first)
	if t.TS != "" {
		options = append(options, slack.MsgOptionTS(t.TS))
	}
	return s.api.PostMessageContext(ctx, s.conf.Channel, options...)
}

// close has the root of a thread say that its case is over. Said twice it is the same, so an
// outcome that is unknown is none to stop for; nor is a root that is no longer there.
func (s *session) close(ctx context.Context, it notify.Item, t Thread) *notify.Outcome {
	if t.TS == "" {
		return nil
	}
	err := s.wait(ctx)
	if err == nil {
		_, _, _, err = s.api.UpdateMessageContext(ctx, t.Channel, t.TS, s.message(it, false)...)
	}
	if out := outcomeOf(err); err != nil && out.State == notify.Failed && out.RetryAfter > 0 {
		return &out
	}
	return nil
}

// wait is for our turn; without the time for it the rest is for the next try.
func (s *session) wait(ctx context.Context) error {
	if ctx.Err() != nil || s.limit.Wait(ctx) != nil {
		return &post.Error{State: notify.Failed, Text: "not posted for want of time; it follows", RetryAfter: time.Second}
	}
	return nil
}

func (s *session) message(it notify.Item, first bool) []slack.MsgOption {
	return []slack.MsgOption{slack.MsgOptionText(fallback(s.digest, it), true), slack.MsgOptionBlocks(blocks(s.digest, it, first)...),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "k8guard_notice", EventPayload: map[string]any{"notice": post.ID(s.digest.ID)}}),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(), slack.MsgOptionDisableMarkdown()}
}
