package slack

import (
	"encoding/json"
	"fmt"

	"github.com/slack-go/slack"

	"github.com/k8guard/k8guard/internal/notify"
)

// Preview lists the messages that would be posted, one for each case.
func (c *Channel) Preview(d notify.Digest) ([]byte, error) {
	type message struct {
		Channel string        `json:"channel"`
		Text    string        `json:"text"`
		Blocks  []slack.Block `json:"blocks"`
	}
	var all []message
	for i, it := range named(d) {
		all = append(all, message{Channel: c.conf.Channel, Text: escaped(fallback(d, it)), Blocks: blocks(d, it, i == 0)})
	}
	body, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("compose the messages: %w", err)
	}
	return body, nil
}
