package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/user"
	"time"
)

// client speaks to a running K8Guard over its socket.
type client struct {
	socket string
	how    string // the flags that lead there; empty where none is needed
	http   *http.Client
}

func newClient(socket string) *client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &client{socket: socket, http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{DialContext: dial}}}
}

// call sends one request and decodes the answer; a problem becomes an error with its text.
func (c *client) call(ctx context.Context, method, path string, body, into any) error {
	var sent io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return err
		}
		sent = bytes.NewReader(raw)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, sent)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Cache-Control", "no-cache") // what was true a moment ago may not be since our last command
	resp, err := c.http.Do(r)
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return fmt.Errorf("no K8Guard runs at %s; start `k8guard run`, or name its configuration with --config or its socket with --socket: %w", full(c.socket), op.Err)
	}
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 8<<20))
	if err != nil {
		return err
	}
	if resp.StatusCode >= http.StatusBadRequest {
		var problem struct{ Detail, Title string }
		if json.Unmarshal(raw, &problem) == nil && problem.Detail+problem.Title != "" {
			return refusal{resp.StatusCode, first(problem.Detail, problem.Title)}
		}
		return fmt.Errorf("%s: %s", resp.Status, raw)
	}
	return json.Unmarshal(raw, into)
}

// refusal is a no of the running K8Guard, in its own words.
type refusal struct {
	code int
	text string
}

func (r refusal) Error() string { return r.text }

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// me is who asks, as the operating system names them.
func me() string {
	u, err := user.Current()
	if err != nil {
		return "unknown"
	}
	return u.Username
}
