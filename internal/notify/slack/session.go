package slack

import (
	"context"
	"fmt"
	"slices"

	"github.com/slack-go/slack"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
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
