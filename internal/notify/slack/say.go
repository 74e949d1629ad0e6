package slack

import (
	"context"
	"time"

	"github.com/slack-go/slack"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/post"
)

// say posts a message: into the thread that goes on, else as the root of a new one.
func (s *session) say(ctx context.Context, it notify.Item, t Thread, first bool) (Thread, *notify.Outcome) {
	if t.Over || t.TS == "" || t.In != s.conf.Channel { // of another channel the thread would be seen by nobody
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
		t.Channel, t.TS, t.In = channel, ts, s.conf.Channel
	}
	t.At, t.To = s.now().UTC(), s.reach // the newest word, not the oldest notice: what is being told is not forgotten
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
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: "k8guard_notice", EventPayload: map[string]any{"notice": post.ID(s.digest)}}),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl(), slack.MsgOptionDisableMarkdown()}
}
