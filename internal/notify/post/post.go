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
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"sync/atomic"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
)

const (
	// Limit is how long one notice may take on a channel, all its requests together.
	Limit = 25 * time.Second
	// MaxAnswer bounds what is read of an answer.
	MaxAnswer = 64 << 10
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
			TLSHandshakeTimeout: Limit, MaxResponseHeaderBytes: MaxAnswer},
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

type bounded struct {
	io.Reader
	io.Closer
}

// broken says why there is no answer. The address is left out: it may hold a token.
func broken(err error, stood bool) *Error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err
	}
	if stood {
		return &Error{State: notify.Unknown, Text: "no answer after the message went out: " + cause(err)}
	}
	return &Error{State: notify.Failed, Text: "connect: " + cause(err)}
}

// cause names an error by its kind, for its own words may hold an address.
func cause(err error) string {
	var dns *net.DNSError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var op *net.OpError
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return "it was cancelled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "it took too long"
	case errors.As(err, &dns):
		return "the host's name is not known"
	case errors.As(err, &authority):
		return "the server's certificate is signed by an unknown authority; name it with caFile"
	case errors.As(err, &host):
		return "the server's certificate is of another host"
	case errors.As(err, &invalid):
		return "the server's certificate is not valid (expired, or not for servers)"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	case errors.As(err, &op):
		return "the connection broke while it was used to " + op.Op
	}
	return "the server speaks no HTTP that is understood, or TLS where plain HTTP is expected"
}

// refused reads an answer that is none of success.
func (c *Client) refused(resp *http.Response) *Error {
	code := resp.StatusCode
	e := &Error{State: notify.Failed, Status: code, Text: fmt.Sprintf("the server answered %d %s", code, http.StatusText(code)),
		RetryAfter: RetryAfter(resp.Header.Get("Retry-After"), c.now())}
	switch {
	case code >= 300 && code < 400:
		e.Text += "; a redirect is not followed, write the address that it leads to"
	case code >= 500 && code != http.StatusServiceUnavailable && code != http.StatusNotImplemented:
		e.State = notify.Unknown // a gateway, or a server that failed half-way, cannot say whether it was taken
	}
	return e
}
