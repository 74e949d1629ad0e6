// Package hipchat writes a notice into a room of a server that speaks HipChat's API v2.
//
// Purpose: what the first system did: the room hears of each case, and whom it concerns is tagged.
//
// Concurrency: a [Channel] holds no state that changes.
//
// Guarantees: a message is plain text of a small alphabet, in which nothing mentions, links or
// formats but the names that the configuration, the teams file or the Namespace's annotation
// gives. The token goes out in a header only, and is in no outcome.
//
// It will not: count as a warning, but where the configuration or the teams file maps the owner
// to a name: see [notify.Digest].
package hipchat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/post"
)

// Channel is one room.
type Channel struct {
	url, room string
	client    *post.Client
	token     post.Secret
}

// New checks the configuration and dials nothing.
func New(conf config.HipChat, now func() time.Time) (*Channel, error) {
	client, err := post.New("notify.hipchat.caFile", conf.CAFile, now)
	if err != nil {
		return nil, err
	}
	base := strings.TrimSuffix(strings.TrimSuffix(conf.BaseURL, "/"), "/v2")
	return &Channel{url: base + "/v2/room/" + url.PathEscape(conf.Room) + "/notification", room: conf.Room, client: client,
		token: post.NewSecret("notify.hipchat.token", conf.Token, conf.TokenFile)}, nil
}

// Name is "hipchat".
func (c *Channel) Name() string { return notify.HipChat }

// Ready says what would keep a message from going out, as far as the configuration's files tell.
func (c *Channel) Ready() error {
	_, err := c.token()
	return err
}

// message is the body of a room notification.
type message struct {
	Color   string `json:"color"`
	Message string `json:"message"`
	Notify  bool   `json:"notify"`
	Format  string `json:"message_format"`
}

// Preview is the body that would be sent. In the format "text", mentions work and HTML does not.
func (c *Channel) Preview(d notify.Digest) ([]byte, error) {
	body, err := json.Marshal(message{Color: color(d), Message: text(d), Notify: true, Format: "text"})
	if err != nil {
		return nil, fmt.Errorf("compose the message: %w", err)
	}
	return body, nil
}

// Send tries once, within ctx and at most [post.Limit].
func (c *Channel) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	return c.client.Deliver(ctx, func(ctx context.Context) (*http.Request, error) { return c.request(ctx, d) },
		notify.Outcome{Detail: "taken for the room", Accepted: append([]string{c.Name()}, mentions(d.Mentions)...)})
}

func (c *Channel) request(ctx context.Context, d notify.Digest) (*http.Request, error) {
	token, err := c.token()
	if err != nil {
		return nil, err
	}
	body, err := c.Preview(d)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("notify.hipchat.baseURL is no address; write https://host")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(post.HeaderNotice, post.ID(d))
	r.Header.Set("Authorization", "Bearer "+token)
	return r, nil
}
