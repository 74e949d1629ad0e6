package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/k8guard/k8guard/internal/config"
)

// Reload is how a running K8Guard learns of a new configuration.
type Reload struct {
	// File is looked at, its content, not its date; empty means that only Asked counts.
	File string
	// Load reads and checks everything; its error names file, line and key.
	Load func() (config.Config, error)
	// Every is the time between two looks.
	Every time.Duration
	// Retry is how long until one is tried again with which nothing could be run; 0 is 30 s.
	Retry time.Duration
	// Asked asks for it at once: SIGHUP.
	Asked <-chan os.Signal
}

// watch offers each new configuration on next, until ctx ends. A file is read when two
// looks in a row saw the same content, so that one that is being written is left alone.
func (h *house) watch(ctx context.Context, next chan<- config.Config) {
	if h.Reload == nil {
		return
	}
	tick := time.NewTicker(h.Reload.Every)
	defer tick.Stop()
	inForce, teams := h.Config, content(h.Config.Owners.TeamsFile)
	named := h.Config.Owners.TeamsFile // by the newest that was read, taken over or not
	// What was loaded at the start is read once more: it may have changed since.
	tried, before := [2][sha256.Size]byte{}, h.contents(named)
	for {
		asked := false
		select {
		case <-ctx.Done():
			return
		case <-h.Reload.Asked:
			asked = true
		case <-tick.C:
		}
		now := h.contents(named)
		stable := now == before && now != tried
		before = now
		if !asked && !stable {
			continue
		}
		tried = now
		c, err := h.read(asked)
		if err == nil || c.Owners.TeamsFile != "" {
			named = c.Owners.TeamsFile
		}
		if err != nil {
			h.refuse(err)
			continue
		}
		// Asked, the rest is read again too: kubeconfigs, a file of certificates.
		if c = h.kept(c); !asked && reflect.DeepEqual(c, inForce) && now[1] == teams {
			if h.reload.refused() != "" {
				h.Log.Info("the configuration is again the one that is in force")
			}
			h.reload.succeeded(h.Now())
			continue
		}
		select {
		case next <- c:
			inForce, teams = c, content(c.Owners.TeamsFile)
		case <-ctx.Done():
			return
		}
	}
}

// read refuses an empty file: it would be valid, and mean that nothing is exempt any more.
func (h *house) read(asked bool) (config.Config, error) {
	if info, err := os.Stat(h.Reload.File); h.Reload.File != "" && err == nil && info.Size() == 0 {
		return config.Config{}, errors.New(h.Reload.File + ": it is empty; write at least one key")
	}
	c, err := h.Reload.Load()
	if err == nil {
		err = Check(c)
	}
	if err == nil && asked {
		h.Log.Info("the configuration was read again, as asked")
	}
	return c, err
}

// kept leaves as they were the keys whose effect outlives an instance, and says so.
func (h *house) kept(c config.Config) config.Config {
	was := h.Config
	if c.Data.Dir != was.Data.Dir || c.Report.Listen != was.Report.Listen || c.Report.TLS != was.Report.TLS || Socket(c) != Socket(was) || c.Log != was.Log || !reflect.DeepEqual(c.Cache, was.Cache) {
		h.Log.Warn("data.dir, report.listen, report.socket, report.tls, cache and log are read at the start only; the rest is taken over", "next", "restart K8Guard; until then commands reach it with --socket", "socket", absolute(Socket(was)))
	}
	c.Data.Dir, c.Log, c.Cache = was.Data.Dir, was.Log, was.Cache
	c.Report.Listen, c.Report.Socket, c.Report.TLS = was.Report.Listen, was.Report.Socket, was.Report.TLS
	if !c.Report.Loopback() && (c.Report.Login == config.LoginNone || !c.Report.HTTPS()) {
		h.Log.Warn("report.login and report.url stay: report.listen is read at the start only, and others reach it", "next", "restart K8Guard")
		c.Report.Login, c.Report.URL = was.Report.Login, was.Report.URL
	}
	return c
}

// contents is what the configuration's file and the teams' file hold.
func (h *house) contents(teams string) [2][sha256.Size]byte {
	return [2][sha256.Size]byte{content(h.Reload.File), content(teams)}
}

// content is what a file holds; what cannot be read is a content of its own, and so is none.
func content(file string) [sha256.Size]byte {
	if file == "" {
		return [sha256.Size]byte{}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		text = []byte(err.Error())
	}
	return sha256.Sum256(text)
}

// reloadState is what the metrics say of reloads; it lives as long as the process.
type reloadState struct {
	mu      sync.Mutex
	why     string // of the last failure; empty when none followed the last success
	at      time.Time
	bad, ok *prometheus.Desc
}

func newReloadState() *reloadState {
	return &reloadState{
		bad: prometheus.NewDesc("k8guard_config_reload_failed", "1 when the newest configuration was not taken over and an older one is in force.", nil, nil),
		ok:  prometheus.NewDesc("k8guard_config_last_reload_success_timestamp_seconds", "When a configuration was last taken over while running; 0 before the first time.", nil, nil),
	}
}

func (r *reloadState) failed(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.why = strings.ReplaceAll(err.Error(), "\n", "; ")
}

// refused says why the newest configuration is not the one in force; empty when it is. Nil
// is a target that takes none over.
func (r *reloadState) refused() string {
	if r == nil {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.why
}

func (r *reloadState) succeeded(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.why, r.at = "", now
}

// Describe implements prometheus.Collector.
func (r *reloadState) Describe(to chan<- *prometheus.Desc) { to <- r.bad; to <- r.ok }

// Collect implements prometheus.Collector.
func (r *reloadState) Collect(to chan<- prometheus.Metric) {
	r.mu.Lock()
	defer r.mu.Unlock()
	value, at := 0.0, 0.0
	if r.why != "" {
		value = 1
	}
	if !r.at.IsZero() {
		at = float64(r.at.Unix())
	}
	to <- prometheus.MustNewConstMetric(r.bad, prometheus.GaugeValue, value)
	to <- prometheus.MustNewConstMetric(r.ok, prometheus.GaugeValue, at)
}
