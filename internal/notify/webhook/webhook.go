// Package webhook sends each notice as a signed CloudEvent to an address.
//
// Purpose: whatever takes JSON over HTTP may hear of cases: an archive, a ticket system, a bot.
//
// Concurrency: a [Channel] holds no state that changes.
//
// Guarantees: the signature covers the event's id, a timestamp and every byte of the body, as the
// Standard Webhooks specify it, so a receiver can tell a forged, changed or replayed one. A
// notice has one id however often it is tried. Key and address are in no outcome.
//
// It will not: reach an owner personally: what it delivers never counts as a warning.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/post"
)

// The headers of the signature (https://www.standardwebhooks.com).
const (
	HeaderID        = "Webhook-Id"
	HeaderTimestamp = "Webhook-Timestamp"
	HeaderSignature = "Webhook-Signature"
)

const contentType = "application/cloudevents+json; charset=utf-8"

// Channel is one webhook.
type Channel struct {
	name     string
	client   *post.Client
	url, key post.Secret
	now      func() time.Time
}

// New checks the configuration and dials nothing.
func New(conf config.Webhook, now func() time.Time) (*Channel, error) {
	at := "notify.webhook." + conf.Name
	client, err := post.New(at+".caFile", conf.CAFile, now)
	if err != nil {
		return nil, err
	}
	return &Channel{name: conf.Name, client: client, now: now,
		url: post.NewSecret(at+".url", conf.URL, conf.URLFile), key: post.NewSecret(at+".key", conf.Key, conf.KeyFile)}, nil
}

// Name is "webhook/" and the name in configuration.
func (c *Channel) Name() string { return notify.Webhook + "/" + c.name }

// Ready says what would keep a notice from going out, as far as the configuration's files tell.
func (c *Channel) Ready() error {
	_, _, err := c.secrets()
	return err
}

// Send tries once, within ctx and at most [post.Limit].
func (c *Channel) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	return c.client.Deliver(ctx, func(ctx context.Context) (*http.Request, error) { return c.request(ctx, d) },
		notify.Outcome{Detail: "taken by the webhook " + c.name, Accepted: []string{c.Name()}})
}

// Preview is the body that would be sent.
func (c *Channel) Preview(d notify.Digest) ([]byte, error) { return compose(d) }

func (c *Channel) request(ctx context.Context, d notify.Digest) (*http.Request, error) {
	url, key, err := c.secrets()
	if err != nil {
		return nil, err
	}
	body, err := compose(d)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil { // it would repeat the address
		return nil, fmt.Errorf("notify.webhook.%s.url is no address; write https://host/path", c.name)
	}
	id, at := post.ID(d), strconv.FormatInt(c.now().Unix(), 10)
	r.Header.Set("Content-Type", contentType)
	r.Header.Set(HeaderID, id)
	r.Header.Set(HeaderTimestamp, at)
	r.Header.Set(HeaderSignature, "v1,"+sign(key, id, at, body))
	return r, nil
}

func (c *Channel) secrets() (url string, key []byte, err error) {
	if url, err = c.url(); err != nil {
		return "", nil, err
	}
	if err = config.CheckAddress("notify.webhook."+c.name+".url", url); err != nil {
		return "", nil, err
	}
	text, err := c.key()
	if err != nil {
		return "", nil, err
	}
	if key, err = config.WebhookKey(text); err != nil {
		return "", nil, fmt.Errorf("notify.webhook.%s.key: %w", c.name, err)
	}
	return url, key, nil
}

// sign is base64(HMAC-SHA256(key, id "." timestamp "." body)).
func sign(key []byte, id, at string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + at + "."))
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
