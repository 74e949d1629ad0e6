package post

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"

	"github.com/k8guard/k8guard/internal/notify"
)

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
	case errors.As(err, &op) && op.Op == "dial":
		return "nobody takes the connection; see that the server is up, and its address"
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
	case code == http.StatusServiceUnavailable && e.RetryAfter > 0, code == http.StatusNotImplemented: // it says itself that it did not
	case code >= 500:
		e.State = notify.Unknown // a gateway, or a server that failed half-way, cannot say whether it was taken
	}
	return e
}
