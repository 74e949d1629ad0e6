package memcached_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/cache/memcached"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// TestFromConfig logs in at a real server with what an operator writes; a password that
// changes is taken at the next connection.
func TestFromConfig(t *testing.T) {
	server := servicestest.StartWith(t, services.Memcached, services.Options{Secured: true})
	access, file := server.Access(), filepath.Join(t.TempDir(), "password")
	password := func(text string) {
		if err := os.WriteFile(file, []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	password("wrong")
	c := config.Default().Cache
	c.Kind = config.CacheMemcached
	c.Memcached = config.Memcached{Servers: server.Addresses(), Username: services.Admin, PasswordFile: file, Timeout: 5 * time.Second,
		TLS: config.ClientTLS{Enabled: true, CAFile: access.CA, CertFile: access.Cert, KeyFile: access.Key}}
	settings, err := memcached.FromConfig(c)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, settings)
	defer func() { _ = s.Close() }()
	if err := s.Put(t.Context(), "a", []byte("one")); err == nil || !strings.Contains(err.Error(), "cache.memcached.username and passwordFile") {
		t.Errorf("a wrong password: %v, want what to mend", err)
	}
	password(access.Password)
	store(t, s, "a")
}

func TestFromConfigWithoutAServer(t *testing.T) {
	m := config.Memcached{Servers: []string{"a.example", "b.example:1", "::1", "[::1]:2"}, Timeout: time.Second}
	s, err := memcached.FromConfig(config.Cache{Memcached: m, Expiry: time.Hour})
	if want := []string{"a.example:11211", "b.example:1", "[::1]:11211", "[::1]:2"}; err != nil || !slices.Equal(s.Servers, want) {
		t.Errorf("%v, %v; want %v", s.Servers, err, want)
	}
	for name, change := range map[string]func(*config.Memcached){
		"cache.memcached.passwordFile": func(m *config.Memcached) { m.Username, m.PasswordFile = "a", "/nowhere" },
		"cache.memcached.tls.caFile":   func(m *config.Memcached) { m.TLS = config.ClientTLS{Enabled: true, CAFile: "/nowhere"} },
	} {
		bad := m
		change(&bad)
		if _, err := memcached.FromConfig(config.Cache{Memcached: bad, Expiry: time.Hour}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want a word on %s", err, name)
		}
	}
}
