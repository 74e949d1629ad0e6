package slack

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/post"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

// session is one try of one notice.
type session struct {
	*Channel
	api     *slack.Client
	digest  notify.Digest
	book    Book
	unnoted bool // something was said that is not on record
	// reach are the ids that see what is said now; accepted those that saw all that was said so far.
	reach, accepted []string
	told            []notify.Telling // the cases that are said, and to whom
	doubt           string           // the case of which nobody knows
}

// send says what is not said yet, and what is known of each case where that is not the same of all.
func (s *session) send(ctx context.Context) notify.Outcome {
	seen, why, err := s.reached(ctx, mentioned(s.digest.Mentions))
	if err != nil {
		return unasked(err)
	}
	s.reach, s.accepted = seen, slices.Clone(seen)
	items := named(s.digest)
	for i, it := range items {
		if out := s.tell(ctx, it, i == 0); out != nil {
			out.Detail = fmt.Sprintf("case %d of %d: %s", i+1, len(items), out.Detail)
			if s.unnoted && out.State == notify.Failed {
				out.State = notify.Unknown // trying again would say some of it again
			}
			return s.inPart(*out, items)
		}
	}
	out := notify.Outcome{State: notify.Confirmed, Detail: "posted", Accepted: append([]string{s.Name()}, s.accepted...)}
	if why != "" {
		out.Detail += "; " + why
	}
	return out
}

// inPart adds which cases were told, and which were not.
func (s *session) inPart(out notify.Outcome, items []notify.Item) notify.Outcome {
	out.Told = s.told
	if out.State != notify.Unknown {
		return out
	}
	for _, it := range items {
		if it.Case != s.doubt && !slices.ContainsFunc(s.told, func(t notify.Telling) bool { return t.Case == it.Case }) {
			out.Untold = append(out.Untold, it.Case)
		}
	}
	return out
}

// tell says one case, unless an earlier try did; nil means that it is said.
func (s *session) tell(ctx context.Context, it notify.Item, first bool) *notify.Outcome {
	t := s.book.Threads[it.Case]
	over := wording.PurposeOf(it) == docket.AllClear
	if !slices.Contains(t.Said, s.digest.ID) {
		next, out := s.say(ctx, it, t, first)
		if out != nil {
			if out.State == notify.Unknown {
				s.doubt = it.Case
			}
			return out
		}
		t = next
		s.note(ctx, it.Case, t)
	}
	saw := t.saw(s.digest.ID)
	s.told = append(s.told, notify.Telling{Case: it.Case, For: append([]string{s.Name()}, saw...)})
	s.accepted = slices.DeleteFunc(s.accepted, func(id string) bool { return !slices.Contains(saw, id) })
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
	t.At, t.To = s.digest.At, s.reach
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
