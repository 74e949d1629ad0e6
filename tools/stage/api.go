package stage

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"time"

	"github.com/k8guard/k8guard/internal/ledger"
)

// Get asks the running K8Guard over its socket and decodes its JSON answer into into.
func (s *Stage) Get(ctx context.Context, path string, into any) error {
	body, err := s.get(ctx, path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil {
		return fmt.Errorf("the answer to %s: %w", path, err)
	}
	return nil
}

func (s *Stage) get(ctx context.Context, path string) ([]byte, error) {
	socket := filepath.Join(s.Config.Data.Dir, "k8guard.sock")
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://localhost"+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return nil, fmt.Errorf("ask K8Guard: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("ask K8Guard: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("K8Guard answers %s to %s: %s", response.Status, path, body)
	}
	return body, nil
}

// WaitReady returns when the process has audited the cluster once, or died.
func (s *Stage) WaitReady(ctx context.Context, p *Process) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		_, err := s.get(ctx, "/readyz")
		select {
		case <-p.Done():
			return fmt.Errorf("K8Guard ended before it was ready: %w; the end of its log:\n%s", p.err, p.LogTail())
		default:
		}
		if err == nil {
			return nil
		}
		select {
		case <-p.Done():
		case <-ctx.Done():
			return fmt.Errorf("K8Guard is not ready: %w; the end of its log:\n%s", err, p.LogTail())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Cases returns all cases of these statuses; none given means all that are open in any way.
func (s *Stage) Cases(ctx context.Context, statuses ...string) ([]ledger.CaseRow, error) {
	query := url.Values{"limit": {"500"}, "status": statuses}
	var all []ledger.CaseRow
	for {
		var page ledger.CasePage
		if err := s.Get(ctx, "/api/v1/cases?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		all = append(all, page.Rows...)
		if page.Next == "" {
			return all, nil
		}
		query.Set("cursor", page.Next)
	}
}
