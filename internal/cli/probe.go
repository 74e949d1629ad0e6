package cli

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/scan"
)

const (
	// probeURL is where every target says whether it can do its work, by default.
	probeURL = "http://127.0.0.1:8686/readyz"
	// probeLimit is below what a kubelet is told to wait.
	probeLimit = 8 * time.Second
)

func newProbe(s Streams) *cobra.Command {
	return &cobra.Command{
		Use: "probe [URL]", Short: "Ask the K8Guard of this host whether it is ready",
		Long: "Ask the K8Guard of this host whether it is ready, as the probe of a container whose pages listen on\n" +
			"loopback only, out of a kubelet's reach. URL is " + probeURL + " by default.\n" +
			"Exit code: 0 ready, 2 not ready, or nothing answers.",
		Example: "  k8guard probe\n  k8guard probe http://127.0.0.1:8687/healthz",
		Args:    arguments(cobra.MaximumNArgs(1)),
		RunE: func(c *cobra.Command, args []string) error {
			where := probeURL
			if len(args) == 1 {
				where = args[0]
			}
			said, err := probe(c.Context(), where)
			if err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			_, err = fmt.Fprintln(s.Out, scan.Visible(said))
			return err
		},
	}
}

// probe returns what the address says of itself; an error unless that is 200.
func probe(ctx context.Context, where string) (string, error) {
	u, err := url.Parse(where)
	if err != nil || !loopback(u) {
		return "", fmt.Errorf("%q is not on this host; write %s, with the port of report.listen", where, probeURL)
	}
	ctx, cancel := context.WithTimeout(ctx, probeLimit)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), http.NoBody)
	if err != nil {
		return "", err
	}
	// The certificate is of the name that readers use; to this host nobody listens in.
	transport := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // loopback only, see above
	answer, err := (&http.Client{Transport: transport}).Do(r)
	if err != nil {
		return "", fmt.Errorf("nothing answers: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 4<<10))
	if err != nil {
		return "", fmt.Errorf("reading the answer: %w", err)
	}
	said := strings.TrimSpace(string(body))
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("not ready: %s", said)
	}
	return said, nil
}

func loopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return (u.Scheme == "http" || u.Scheme == "https") && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback())
}
