package slack

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/k8guard/k8guard/internal/notify"
)

// Slack shows a mention to nobody who is not in the channel, and posts it all the same. So who is
// there is asked, and asked again after a while.
const (
	memberFor  = 5 * time.Minute
	refusedFor = time.Minute // until a scope that was granted is seen
	pageSize   = 999         // Slack's most
	maxPages   = 30
	maxRolls   = 1000
)

// roll is who is in a channel, or in a group of users, as Slack said at a time.
type roll struct {
	at  time.Time
	ids map[string]bool
	why string // Slack does not tell, for this reason
}

// members remembers rolls; its lock makes senders that ask at once ask Slack once.
type members struct {
	mu    sync.Mutex
	rolls map[string]roll
}

// reached are those of the ids that see a message in the channel: users who are in it, and groups
// of which somebody is. Why says what kept others out. What cannot be known now, but soon, is an error.
func (s *session) reached(ctx context.Context, ids []string) (seen []string, why string, err error) {
	if len(ids) == 0 {
		return nil, "", nil
	}
	s.members.mu.Lock()
	defer s.members.mu.Unlock()
	in, err := s.members.of(s.conf.Channel, s.now(), func() ([]string, error) { return s.inChannel(ctx) })
	if err != nil || in.why != "" {
		return nil, in.why, err
	}
	for _, id := range ids {
		there := in.ids[id]
		if id[0] == 'S' {
			group, err := s.members.of(id, s.now(), func() ([]string, error) { return s.api.GetUserGroupMembersContext(ctx, id) })
			if err != nil {
				return nil, "", err
			}
			why = group.why
			there = group.meets(in)
		}
		if there {
			seen = append(seen, id)
		} else if why == "" {
			why = id + " is not in the channel"
		}
	}
	return seen, why, nil
}

// of returns a roll that is not old. A refusal of Slack's is one, too: it is not asked for each notice.
func (m *members) of(name string, now time.Time, ask func() ([]string, error)) (roll, error) {
	if known, there := m.rolls[name]; there && known.fresh(now) {
		return known, nil
	}
	ids, err := ask()
	next := roll{at: now, ids: map[string]bool{}}
	if said, is := errors.AsType[slack.SlackErrorResponse](err); is && !passing(said) {
		next.why, err = "Slack does not tell who is in the channel: "+wordOf(said), nil
	}
	if err != nil {
		return roll{}, err
	}
	for _, id := range ids {
		next.ids[id] = true
	}
	if m.rolls == nil || len(m.rolls) > maxRolls {
		m.rolls = map[string]roll{}
	}
	m.rolls[name] = next
	return next, nil
}

func (r roll) fresh(now time.Time) bool {
	age, limit := now.Sub(r.at), memberFor
	if r.why != "" {
		limit = refusedFor
	}
	return age >= 0 && age < limit
}

func (r roll) meets(other roll) bool {
	for id := range r.ids {
		if other.ids[id] {
			return true
		}
	}
	return false
}

// passing reports whether Slack may say something else soon; with a token that is not taken, nothing
// can be posted either.
func passing(said slack.SlackErrorResponse) bool {
	return outcomeOf(said).RetryAfter > 0 || slices.Contains(append(unclear(), "fetch_members_failed",
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"), said.Err)
}

// inChannel lists the channel, page by page; of one that is larger than what is asked for, the rest
// counts as not there.
func (s *session) inChannel(ctx context.Context) (all []string, err error) {
	cursor := ""
	for range maxPages {
		ids, next, err := s.api.GetUsersInConversationContext(ctx, &slack.GetUsersInConversationParameters{ChannelID: s.conf.Channel, Cursor: cursor, Limit: pageSize})
		if err != nil {
			return nil, err
		}
		all = append(all, ids...)
		if next == "" || next == cursor {
			break
		}
		cursor = next
	}
	return all, nil
}

// unasked is the outcome where it could not be learned who is in the channel: nothing was posted,
// so it is tried again. Posted, it might count for nothing, and use up a try of the ladder.
func unasked(err error) notify.Outcome {
	out := outcomeOf(err)
	return notify.Outcome{State: notify.Failed, Detail: "nothing is posted before it is known who is in the channel: " + out.Detail, RetryAfter: out.RetryAfter}
}
