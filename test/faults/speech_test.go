package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// The owner's id in Slack, and one of a colleague who is not in the channel.
const (
	slackID = "U0OWNER"
	awayID  = "U0AWAY"
)

// readSlack reads a message as Slack would show it.
func readSlack(r *http.Request, body []byte) (m heard, is bool) {
	form, err := url.ParseQuery(string(body))
	if err != nil || r.URL.Path != "/api/chat.postMessage" {
		return m, false
	}
	var about struct {
		Payload struct{ Notice string } `json:"event_payload"`
	}
	_ = json.Unmarshal([]byte(form.Get("metadata")), &about)
	var blocks []struct{ Text struct{ Text string } }
	_ = json.Unmarshal([]byte(form.Get("blocks")), &blocks)
	for _, b := range blocks {
		if m.step == "" {
			m.step, _, _ = strings.Cut(b.Text.Text, ":")
		}
		m.mention = m.mention || strings.Contains(b.Text.Text, "<@"+slackID+">")
	}
	m.notice, m.cases = about.Payload.Notice, cases(form.Get("text"))
	return m, true
}

// readHipChat reads a room notification.
func readHipChat(r *http.Request, body []byte) (m heard, is bool) {
	var message struct{ Message string }
	_ = json.Unmarshal(body, &message)
	m.notice, m.cases = r.Header.Get("X-K8Guard-Notice"), cases(message.Message)
	return m, true
}

// readWebhook reads a CloudEvent.
func readWebhook(r *http.Request, body []byte) (m heard, is bool) {
	var event struct {
		ID   string
		Data struct {
			Cases []struct {
				ID, Purpose string
				Warning     int
			}
		}
	}
	_ = json.Unmarshal(body, &event)
	if m.notice = event.ID; m.notice != r.Header.Get("Webhook-Id") {
		m.notice = "two ids: " + m.notice
	}
	for _, c := range event.Data.Cases {
		m.cases = append(m.cases, c.ID)
		m.step = fmt.Sprint(c.Purpose, " ", c.Warning)
	}
	if len(m.cases) > 1 {
		m.step = ""
	}
	return m, true
}

// cases are the ids of cases in a text, each once.
func cases(text string) (ids []string) {
	seen := map[string]bool{}
	for _, id := range regexp.MustCompile(`\bc-[0-9a-z]{26}\b`).FindAllString(text, -1) {
		if !seen[id] {
			seen[id], ids = true, append(ids, id)
		}
	}
	return ids
}
