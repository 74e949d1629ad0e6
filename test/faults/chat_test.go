package faults

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// pause is what Slack asks for: K8Guard is killed in it.
const pause = 8 * time.Second

// besideMail: mail works, and every other channel fails in its own way: Slack asks for a pause,
// HipChat hangs and then is slow, one webhook takes and drops, one fails. K8Guard is killed in the
// middle of the pause. The dead channels delay neither the mail nor each other, and nothing is
// said twice.
func besideMail(t *testing.T, p plane) {
	slack := newVoice(t, readSlack, busy(pause), fine)
	hipchat := newVoice(t, readHipChat, hold, late)
	dropped, broken, sound := newVoice(t, readWebhook, drop), newVoice(t, readWebhook, fail), newVoice(t, readWebhook, fine)
	h := newHouse(t, p, "rooms", nil)
	s := newSecrets(h)
	h.rewrite(func(c *config.Config) {
		c.Notify.Slack = s.slack(slack, config.ChatUser{Address: h.owner, ID: slackID})
		c.Notify.HipChat = s.hipChat(hipchat)
		c.Notify.Webhook = []config.Webhook{s.webhook("dropped", dropped), s.webhook("broken", broken), s.webhook("sound", sound)}
	})
	h.start()
	h.apply(privileged(h.ns, "web"))
	h.until(20*time.Second, "all have heard of it, and Slack's pause is on record", func() bool {
		return h.mails() > 0 && h.paused("slack") && min(len(hipchat.heard()), len(dropped.heard()), len(broken.heard()), len(sound.heard())) > 0
	})
	if hung := hipchat.heard()[0].until; !hung.IsZero() {
		for what, at := range map[string]time.Time{"mail": h.Mail.Messages()[0].At, "Slack": slack.heard()[0].at, "a webhook": sound.heard()[0].at} {
			if at.After(hung) {
				t.Errorf("%s heard of it at %s, after HipChat, which hung until %s", what, at, hung)
			}
		}
	}
	killed := time.Now()
	h.run.Kill9()
	h.start()
	h.pauseKept(slack)
	h.acted(60*time.Second, acted)
	channels := map[string]*voice{"slack": slack, "hipchat": hipchat, "webhook/dropped": dropped, "webhook/broken": broken, "webhook/sound": sound}
	h.until(60*time.Second, "the act is told on every channel", func() bool {
		return h.told("enforced", "email", "slack", "hipchat", "webhook/dropped", "webhook/broken", "webhook/sound")
	})
	h.noSecret(s)
	h.end()
	h.wantActs(acted)
	for name, v := range channels {
		h.once(name, v, killed)
	}
	h.mailedOnce()
	s.notIn("the log", h.read(h.LogFile()))
}

// slackAlone: Slack is all that reaches the owner of two cases. It takes the first message and asks
// for a pause before the second, in which K8Guard is killed; it takes a message and drops the line;
// it fails; it is slow. The act comes after two warnings of each case that Slack took, of an owner
// who is in its channel, and not before; what was posted of a broken notice is not posted again.
func slackAlone(t *testing.T, p plane) {
	slack := newVoice(t, readSlack, fine, busy(pause), drop, fine, fail, late, fine)
	h := newHouse(t, p, "slack-alone", nil)
	s := newSecrets(h)
	h.rewrite(func(c *config.Config) {
		c.Notify.Email = config.Default().Notify.Email
		c.Notify.Slack = s.slack(slack, config.ChatUser{Address: h.owner, ID: slackID}, config.ChatUser{Address: h.owner, ID: awayID})
	})
	h.start()
	h.apply(twice(h.ns, "web"))
	h.until(20*time.Second, "Slack's pause is on record", func() bool { return h.paused("slack") })
	h.run.Kill9()
	h.wantActs()
	h.start()
	h.pauseKept(slack)
	h.acted(60*time.Second, acted)
	h.until(20*time.Second, "the act is told", func() bool { return h.told("enforced", "slack") })
	h.noSecret(s)
	h.end()
	h.wantActs(acted)
	h.once("slack", slack, time.Time{}) // nothing was under way at the kill
	h.warned(slack)
	s.notIn("the log", h.read(h.LogFile()))
	if n := len(h.Mail.Messages()); n != 0 {
		t.Errorf("%d mails, and none is configured", n)
	}
}
