package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/net/netutil"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/internal/report"
)

// requestLimit is how long a stop waits for requests in hand; an undo takes 30 s at most.
const requestLimit = 30 * time.Second

// pingLimit is how long the ledger may take to say that it is there.
const pingLimit = 5 * time.Second

// maxConnections bounds who is connected to the pages' address, silent ones too.
const maxConnections = 1000

// Socket is where commands reach a running K8Guard.
func Socket(c config.Config) string {
	if c.Report.Socket != "" {
		return c.Report.Socket
	}
	return filepath.Join(c.Data.Dir, "k8guard.sock")
}

// absolute is the path for people who are in another folder; what is listened on and dialled may
// stay relative, for a socket's path is short.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}

// listen opens the pages' address and the commands' socket, the first one first.
func listen(ctx context.Context, s Settings) ([]net.Listener, error) {
	tcp, err := listenTCP(ctx, s)
	if err != nil {
		return nil, err
	}
	unix, err := listenSocket(ctx, s.Config)
	if err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	return []net.Listener{tcp, unix}, nil
}

func listenSocket(ctx context.Context, c config.Config) (net.Listener, error) {
	var l net.ListenConfig
	path := Socket(c)
	if err := clearSocket(ctx, path); err != nil {
		return nil, err
	}
	unix, err := l.Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("report.socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, unix.Close())
	}
	return unix, nil
}

func listenTCP(ctx context.Context, s Settings) (net.Listener, error) {
	var l net.ListenConfig
	tcp, err := l.Listen(ctx, "tcp", s.Config.Report.Listen)
	if err != nil {
		return nil, fmt.Errorf("report.listen: %w; choose another address", err)
	}
	safe, err := encrypted(netutil.LimitListener(tcp, maxConnections), s.Config.Report, s.Log, s.Now)
	if err != nil {
		return nil, errors.Join(err, tcp.Close())
	}
	return safe, nil
}

// listenable tries the pages' address before the first start on a ledger. Where there is a ledger,
// its lock comes first: that another K8Guard runs on it says more than an address that is taken.
func listenable(ctx context.Context, s Settings, ledger string) error {
	if _, err := os.Lstat(ledger); err == nil {
		return nil
	}
	l, err := listenTCP(ctx, s)
	if err != nil {
		return err
	}
	return l.Close()
}

// clearSocket removes the socket of a dead process, and nothing else.
func clearSocket(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("report.socket: %w", err)
	}
	if info.Mode()&os.ModeSocket == 0 {
		return fmt.Errorf("report.socket: %s is there and is no socket; choose another path", path)
	}
	var d net.Dialer
	if conn, err := d.DialContext(ctx, "unix", path); err == nil {
		return errors.Join(fmt.Errorf("report.socket: another process answers on %s; choose another path", path), conn.Close())
	}
	return os.Remove(path)
}

// handler joins the report with what machines ask for, behind the guard; a name that is not
// ours reaches neither. Without a guard it is for the socket, which is its owner's alone.
func (in *instance) handler(guard *login.Guard) (http.Handler, error) {
	if err := errors.Join(in.wireAnswers(), in.measureCases()); err != nil {
		return nil, err
	}
	settings := report.Settings{Ledger: in.shown, Answers: in.answers, Rules: in.engine.Rules(), Now: in.Now, Version: in.Version,
		Guard: guard, Cluster: in.cluster.UID, Log: in.Log, Flags: in.Flags, Machines: in.machines(guard)}
	if in.discover != nil {
		maps.Copy(settings.Machines, in.firstRoutes())
	}
	switch {
	case in.action == nil:
		settings.Control = reader{in}
	case in.discover == nil:
		settings.Control = orders{in}
	default:
		settings.Control = desk{in}
	}
	if in.action != nil {
		settings.Needed, settings.Ack = in.action.Needed, in.action.Acknowledge
	}
	return report.New(settings)
}

// machines is what programs ask of every target. Who asks through a guard, and may not see
// everything, is told whether it is ready, and not why.
func (in *instance) machines(guard *login.Guard) map[string]http.Handler {
	return map[string]http.Handler{
		"GET /metrics": promhttp.HandlerFor(in.registry, promhttp.HandlerOpts{}),
		"GET /healthz": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") }),
		"GET /readyz": http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			all := guard == nil || in.Config.Report.OpenMetrics
			if !all {
				all, _ = guard.May(r.Context(), login.See, "") // could not be asked: not told
			}
			in.ready(r.Context(), w, all)
		}),
	}
}

func hostOf(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// ready says whether the audit is complete, and if not, what is missing. A report alone is
// always ready.
func (in *instance) ready(ctx context.Context, w http.ResponseWriter, all bool) {
	missing := ""
	if in.discover != nil {
		for _, k := range in.discover.Status().Kinds {
			if !k.Complete {
				missing += fmt.Sprintf("not complete: %s %v\n", k.Kind, k.Err)
			}
		}
	}
	if in.discover != nil && missing == "" && in.action != nil && in.action.Judged(in.cluster.UID) == 0 {
		missing = "no inventory yet\n"
	}
	if in.ping != nil {
		once, cancel := context.WithTimeout(ctx, pingLimit)
		defer cancel()
		if err := in.ping(once); err != nil {
			missing += err.Error() + "\n"
		}
	}
	if missing != "" {
		if !all {
			missing = "not ready; log in to see why, or read K8Guard's log"
		}
		http.Error(w, missing, http.StatusServiceUnavailable)
		return
	}
	_, _ = fmt.Fprintln(w, "ok")
	if in.reload.refused() != "" { // why is for the log and the overview: a probe may be open to everyone
		_, _ = fmt.Fprintln(w, "the newest configuration was not taken over; an older one is in force")
	}
}

// serveHTTP serves until ctx ends and the requests in hand have been answered.
func serveHTTP(ctx context.Context, l net.Listener, h http.Handler) error {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: time.Minute, IdleTimeout: 30 * time.Second}
	quiet := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(quiet)
		end, cancel := context.WithTimeout(context.Background(), requestLimit)
		defer cancel()
		_ = s.Shutdown(end)
	})
	err := s.Serve(l)
	if !stop() {
		// Serve returns at once: what was asked before, an undo perhaps, still needs the ledger.
		<-quiet
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// pageURL is where the pages are, for the log.
func pageURL(c config.Report, l net.Listener) string {
	if c.Encrypted() {
		return "https://" + l.Addr().String()
	}
	return "http://" + l.Addr().String()
}
