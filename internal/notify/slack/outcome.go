package slack

import (
	"errors"
	"regexp"
	"slices"
	"time"

	"github.com/slack-go/slack"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/post"
)

// unclear are Slack's words for "something failed, and it may have been done".
func unclear() []string {
	return []string{"internal_error", "fatal_error", "request_timeout", "service_unavailable", "team_added_to_org"}
}

// outcomeOf is what is known after an error; Slack's own word for it is shown if it looks like one.
func outcomeOf(err error) notify.Outcome {
	said, ok := errors.AsType[slack.SlackErrorResponse](err)
	if !ok {
		return post.OutcomeOf(err)
	}
	word := wordOf(said)
	out := notify.Outcome{State: notify.Failed, Detail: "Slack says: " + word}
	switch {
	case slices.Contains(unclear(), word):
		out.State = notify.Unknown
	case word == "ratelimited" || word == "rate_limited":
		out.RetryAfter = time.Minute // Slack's answer of 429 says how long; this one does not
	}
	return out
}

// wordOf is Slack's word, if it looks like one.
func wordOf(said slack.SlackErrorResponse) string {
	if regexp.MustCompile(`^[a-z][a-z_]{0,59}$`).MatchString(said.Err) {
		return said.Err
	}
	return "an error that is not understood"
}

// gone reports whether the thread's root is no longer there.
func gone(err error) bool {
	said, ok := errors.AsType[slack.SlackErrorResponse](err)
	return ok && slices.Contains([]string{"thread_not_found", "invalid_thread_ts", "message_not_found", "cannot_reply_to_message"}, said.Err)
}
