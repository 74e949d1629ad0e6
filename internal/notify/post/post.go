// Package post makes one HTTP request for a channel, and says what is known of its outcome.
//
// Purpose: the channels that speak HTTP share one client, one reading of its answers, and one
// way to keep a secret out of what people see.
//
// Concurrency: a [Client] may be used from many goroutines; each request has its own connection.
//
// Guarantees: an outcome is never rosier than what is known: confirmed needs an answer that says
// so, and what went wrong after the connection stood is unknown. A redirect is not followed. An
// answer is read up to [MaxAnswer] bytes. No text of a server's, and no address, is in an error.
//
// It will not: try again, keep connections, or compose a message.
package post

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"os"
	"sync/atomic"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
)

const (
	// Limit is how long one notice may take on a channel, all its requests together.
	Limit = 25 * time.Second
	// MaxAnswer bounds what is read of an answer, in bytes: a group of users is listed in one.
	MaxAnswer = 1 << 20
	maxHeader = 64 << 10
)

// Error is why a request was not confirmed. It holds nothing that a server or a secret wrote.
type Error struct {
	State      notify.OutcomeState // Failed or Unknown
	Text       string
	Status     int // of the answer; 0 when there was none
	RetryAfter time.Duration
}

func (e *Error) Error() string { return e.Text }

// Outcome is the error as a channel tells it.
func (e *Error) Outcome() notify.Outcome {
	return notify.Outcome{State: e.State, Detail: e.Text, RetryAfter: e.RetryAfter}
}

// OutcomeOf is what is known after an error of any kind; what this package did not make is
// unknown, for bytes may have gone out.
func OutcomeOf(err error) notify.Outcome {
	if known, ok := errors.AsType[*Error](err); ok {
		return known.Outcome()
	}
	return notify.Outcome{State: notify.Unknown, Detail: "no clear answer"}
}

// Client makes requests. It implements the Do of [http.Client].
type Client struct {
	http *http.Client
	now  func() time.Time
}

// New returns a client that trusts the authorities in a PEM file, or the system's where none is
// named. The key is the file's, for errors.
func New(key, caFile string, now func() time.Time) (*Client, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if caFile != "" {
		text, err := os.ReadFile(caFile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		if conf.RootCAs = x509.NewCertPool(); !conf.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s: %s holds no certificate; write a file in PEM", key, caFile)
		}
	}
	return &Client{now: now, http: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{TLSClientConfig: conf, Proxy: http.ProxyFromEnvironment,
			// No connection is kept, and HTTP/2 is left out: a request is never repeated behind
			// our back, as a kept connection that turns out to be closed would have it.
			DisableKeepAlives: true, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
			TLSHandshakeTimeout: Limit, MaxResponseHeaderBytes: maxHeader},
	}}, nil
}

// Do makes the request. What comes back without an error has a status of success, and a body
// that ends after [MaxAnswer] bytes.
func (c *Client) Do(r *http.Request) (*http.Response, error) {
	var stood atomic.Bool // what comes after may have sent bytes
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { stood.Store(true) }}
	resp, err := c.http.Do(r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if err != nil {
		return nil, broken(err, stood.Load())
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		resp.Body = bounded{io.LimitReader(resp.Body, MaxAnswer), resp.Body}
		return resp, nil
	}
	_ = resp.Body.Close()
	return nil, c.refused(resp)
}

// Send posts a body and wants no more than a status of success.
func (c *Client) Send(r *http.Request) error {
	resp, err := c.Do(r)
	if err != nil {
		return err
	}
	_ = resp.Body.Close() // nothing of it is read: the status is the answer
	return nil
}

// Deliver composes one request and sends it, within ctx and at most [Limit]; taken is the outcome
// where the server took it.
func (c *Client) Deliver(ctx context.Context, compose func(context.Context) (*http.Request, error), taken notify.Outcome) notify.Outcome {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	r, err := compose(ctx)
	if err != nil {
		return notify.Outcome{State: notify.Failed, Detail: err.Error()}
	}
	r.Header.Set("User-Agent", "k8guard")
	if err := c.Send(r); err != nil {
		return OutcomeOf(err)
	}
	taken.State = notify.Confirmed
	return taken
}

type bounded struct {
	io.Reader
	io.Closer
}
