// Package alertmanager tells each case to an Alertmanager as an alert (API v2).
//
// Purpose: who runs Prometheus sees K8Guard's cases where they see everything else, with its
// silences, groups and receivers.
//
// Concurrency: a [Channel] holds no state that changes.
//
// Guarantees: a case has the same labels from its first warning to its end, so it is one alert;
// what is resolved ends it. An alert outlives the next step by some days, so that it does not
// lapse between two notices, and ends by itself if K8Guard does not come back.
//
// It will not: reach an owner personally: what it delivers never counts as a warning. Routing is
// Alertmanager's.
package alertmanager

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/post"
)

// Channel is the Alertmanager channel.
type Channel struct {
	url    string
	client *post.Client
	token  post.Secret // nil: none is sent
}

// New checks the configuration and dials nothing.
func New(conf config.Alertmanager, now func() time.Time) (*Channel, error) {
	client, err := post.New("notify.alertmanager.caFile", conf.CAFile, now)
	if err != nil {
		return nil, err
	}
	c := &Channel{url: strings.TrimSuffix(conf.URL, "/") + "/api/v2/alerts", client: client}
	if !conf.Token.Empty() || conf.TokenFile != "" {
		c.token = post.NewSecret("notify.alertmanager.token", conf.Token, conf.TokenFile)
	}
	return c, nil
}

// Name is "alertmanager".
func (c *Channel) Name() string { return notify.Alertmanager }

// Ready says what would keep an alert from going out, as far as the configuration's files tell.
func (c *Channel) Ready() error {
	if c.token == nil {
		return nil
	}
	_, err := c.token()
	return err
}

// Send tries once, within ctx and at most [post.Limit].
func (c *Channel) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	return c.client.Deliver(ctx, func(ctx context.Context) (*http.Request, error) { return c.request(ctx, d) },
		notify.Outcome{Detail: "taken by Alertmanager", Accepted: []string{c.Name()}})
}

func (c *Channel) request(ctx context.Context, d notify.Digest) (*http.Request, error) {
	body, err := c.Preview(d)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("notify.alertmanager.url is no address; write https://host")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set(post.HeaderNotice, post.ID(d))
	if c.token != nil {
		token, err := c.token()
		if err != nil {
			return nil, err
		}
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r, nil
}
