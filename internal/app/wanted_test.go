package app

import (
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// What was refused while the start waited is not forgotten: it is tried beside what runs.
func TestWhatTheStartRefusedIsTriedAgain(t *testing.T) {
	var log strings.Builder
	s := Settings{Config: config.Default(), Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now, Reload: &Reload{Retry: time.Millisecond}}
	h := newHouse(s, nil, nil, nil)
	wanted := s.Config
	wanted.Cluster.Kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	ended, stop := make(chan error), errors.New("it ended")
	time.AfterFunc(time.Second, func() { ended <- stop })
	in, err := h.replace(t.Context(), ended, &wanted, nil)
	if in != nil || !errors.Is(err, stop) || !strings.Contains(log.String(), "nothing can be run with it yet: cluster.kubeconfig: open ") || h.reload.refused() == "" {
		t.Errorf("%v, %v; log:\n%s", in, err, log.String())
	}
}
