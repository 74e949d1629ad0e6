package services_test

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

func TestStartRefuses(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// Memcached: whoever lacks it is told so first.
	if len(services.Missing(t.Context(), services.Memcached, false)) > 0 {
		servicestest.Start(t, services.Memcached)
	}
	for name, c := range map[string]struct {
		kind services.Kind
		o    services.Options
		says string
	}{
		"unknown":       {"redis", services.Options{Dir: t.TempDir()}, `"redis"`},
		"three nodes":   {services.Kafka, services.Options{Dir: t.TempDir(), Nodes: 3}, "1 or 2"},
		"two caches":    {services.Memcached, services.Options{Dir: t.TempDir(), Nodes: 2}, "of memcached 1"},
		"no folder":     {services.Memcached, services.Options{}, "Dir is empty"},
		"a full folder": {services.Memcached, services.Options{Dir: full}, "not empty"},
	} {
		_, err := services.Start(t.Context(), c.kind, c.o)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if entries, _ := os.ReadDir(full); len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
}

func TestAttachFindsWhatRunsAndWhatIsLeft(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	s := servicestest.StartWith(t, services.Memcached, services.Options{Dir: dir})
	found, err := services.Attach(dir)
	if err != nil || found.Kind() != services.Memcached || found.Addresses()[0] != s.Addresses()[0] {
		t.Fatalf("got %v, %v", found, err)
	}
	if err := found.Kill(0); err != nil {
		t.Fatal(err)
	}
	if err := found.Kill(1); err == nil {
		t.Error("there is a second node")
	}
	if err := s.Pause(0); err == nil {
		t.Error("what was killed can be paused")
	}
	rest, err := services.Attach(dir)
	if !errors.Is(err, services.ErrNotRunning) || rest == nil {
		t.Fatalf("got %v, %v", rest, err)
	}
	if err := rest.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if none, err := services.Attach(dir); none != nil || !errors.Is(err, services.ErrNotRunning) {
		t.Errorf("of nothing: %v, %v", none, err)
	}
}

func TestAttachSparesAPidThatIsAnothers(t *testing.T) {
	dir := t.TempDir()
	text := `{"kind":"kafka","nodes":[{"name":"broker-1","address":"x","pid":` + strconv.Itoa(os.Getpid()) + `}]}`
	if err := os.WriteFile(filepath.Join(dir, "service.json"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := services.Attach(dir)
	if !errors.Is(err, services.ErrNotRunning) {
		t.Fatalf("got %v", err)
	}
	if err := errors.Join(s.Stop(), s.Kill(0)); err != nil { // would kill this test
		t.Error(err)
	}
}
