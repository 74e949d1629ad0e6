package memcached_test

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/cache/cachetest"
	"github.com/k8guard/k8guard/internal/cache/memcached"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

const (
	timeout = time.Second
	// longest is how long a call may take: to connect and to ask, with room for a busy machine.
	longest  = 2*timeout + 2*time.Second
	patience = 30 * time.Second
)

// TestContract holds the store against a real server; every test forgets what was there.
func TestContract(t *testing.T) {
	server := servicestest.Start(t, services.Memcached)
	raw := memcache.New(server.Addresses()...)
	defer func() { _ = raw.Close() }()
	cachetest.Run(t, func(t testing.TB, expiry time.Duration) cache.Store {
		if err := raw.FlushAll(); err != nil {
			t.Fatal(err)
		}
		return open(t, memcached.Settings{Servers: server.Addresses(), Timeout: 10 * time.Second, Expiry: expiry})
	})
}

func TestContractSecured(t *testing.T) {
	server := servicestest.StartWith(t, services.Memcached, services.Options{Secured: true})
	config, err := server.Access().TLS()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	cachetest.Run(t, func(t testing.TB, expiry time.Duration) cache.Store {
		n++
		return apart{open(t, secured(server, config, expiry)), fmt.Sprint(n, "/")}
	})
	for name, change := range map[string]func(*memcached.Settings){
		"a wrong password": func(s *memcached.Settings) {
			s.Login = func() (string, string, error) { return services.Admin, "wrong", nil }
		},
		"no password":           func(s *memcached.Settings) { s.Login = nil },
		"no TLS":                func(s *memcached.Settings) { s.TLS = nil },
		"an unknown authority":  func(s *memcached.Settings) { s.TLS = &tls.Config{MinVersion: tls.VersionTLS12} },
		"another server's name": func(s *memcached.Settings) { s.TLS = config.Clone(); s.TLS.ServerName = "another.example" },
		"no file of a password": func(s *memcached.Settings) {
			s.Login = func() (string, string, error) { return "", "", errors.New("no such file") }
		},
	} {
		t.Run(name, func(t *testing.T) {
			settings := secured(server, config, time.Hour)
			change(&settings)
			s := open(t, settings)
			defer func() { _ = s.Close() }()
			if _, err := s.Get(t.Context(), "a"); err == nil || errors.Is(err, cache.ErrMiss) || strings.Contains(err.Error(), "wrong\"") {
				t.Errorf("get: %v, want a refusal that tells no password", err)
			}
		})
	}
}

func secured(server *services.Service, config *tls.Config, expiry time.Duration) memcached.Settings {
	return memcached.Settings{Servers: server.Addresses(), TLS: config, Timeout: 10 * time.Second, Expiry: expiry,
		Login: func() (string, string, error) { return services.Admin, server.Access().Password, nil }}
}

// TestDeath kills, pauses and restarts the server under a client.
func TestDeath(t *testing.T) {
	server := servicestest.Start(t, services.Memcached)
	s := open(t, memcached.Settings{Servers: server.Addresses(), Timeout: timeout, Expiry: time.Hour})
	defer func() { _ = s.Close() }()
	store(t, s, "a")
	for name, fault := range map[string][2]func() error{
		"killed": {func() error { return server.Kill(0) }, func() error { return server.Restart(t.Context(), 0) }},
		"paused": {func() error { return server.Pause(0) }, func() error { return server.Resume(0) }},
	} {
		t.Run(name, func(t *testing.T) {
			if err := fault[0](); err != nil {
				t.Fatal(err)
			}
			leftAlone(t, s)
			if err := fault[1](); err != nil {
				t.Fatal(err)
			}
			back(t, s)
		})
	}
}

// leftAlone asks a server that does not answer: no call takes long, and soon none is made.
func leftAlone(t *testing.T, s cache.Store) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		began := time.Now()
		_, err := s.Get(t.Context(), "a")
		if took := time.Since(began); took > longest {
			t.Errorf("a call took %s; its timeout is %s", took, timeout)
		}
		switch {
		case errors.Is(err, memcached.ErrPaused):
			return
		case err == nil || errors.Is(err, cache.ErrMiss):
			t.Fatalf("get from a server that is away: %v", err)
		case time.Now().After(end):
			t.Fatal("it is asked again and again")
		}
	}
}

// back waits until the server is asked again.
func back(t *testing.T, s cache.Store) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		err := s.Put(t.Context(), "a", []byte("again"))
		if err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("not asked again: %v", err)
		}
	}
	if value, err := s.Get(t.Context(), "a"); err != nil || string(value) != "again" {
		t.Errorf("got %q, %v", value, err)
	}
}

// TestOneOfTwo kills one of two servers: the other one's keys stay.
func TestOneOfTwo(t *testing.T) {
	one, other := servicestest.Start(t, services.Memcached), servicestest.Start(t, services.Memcached)
	s := open(t, memcached.Settings{Servers: append(one.Addresses(), other.Addresses()...), Timeout: timeout, Expiry: time.Hour})
	defer func() { _ = s.Close() }()
	const all = 40
	for i := range all {
		store(t, s, fmt.Sprint(i))
	}
	if err := one.Kill(0); err != nil {
		t.Fatal(err)
	}
	found := 0
	for range 2 { // after the first round, the dead one is left alone
		found = 0
		for i := range all {
			if _, err := s.Get(t.Context(), fmt.Sprint(i)); err == nil {
				found++
			}
		}
	}
	if found == 0 || found == all {
		t.Errorf("%d of %d are left, want those of one server", found, all)
	}
}

// TestLies asks servers that are none, or hostile.
func TestLies(t *testing.T) {
	const tooMuch = "larger than any that was asked for"
	for name, answer := range map[string]string{
		"four gigabytes":        "VALUE %s 0 4294967295\r\n",
		"a second, large value": "VALUE %s 0 1\r\nx\r\nVALUE %[1]s 0 4294967295\r\n",
		"too large by one":      "VALUE %s 0 " + fmt.Sprint(cache.MaxValue+1) + "\r\n" + strings.Repeat("x", cache.MaxValue+1) + "\r\nEND\r\n",
		"an endless line":       strings.Repeat("x", 1<<16),
		"another protocol":      "HTTP/1.1 400 Bad Request\r\n\r\n",
		"no number":             "VALUE %s 0 x\r\n",
		"a number below zero":   "VALUE %s 0 -1\r\n",
		"cut off":               "VALUE %s 0 10\r\nabc",
		"an error":              "SERVER_ERROR out of memory\r\n",
		"nothing":               "",
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, memcached.Settings{Servers: []string{liar(t, answer)}, Timeout: timeout, Expiry: time.Hour})
			defer func() { _ = s.Close() }()
			value, err := s.Get(t.Context(), "a")
			if err == nil || errors.Is(err, cache.ErrMiss) {
				t.Errorf("got %.80q, %v; want an error", value, err)
			}
			if strings.Contains(name, "large") || strings.Contains(name, "giga") || strings.Contains(name, "endless") {
				if err != nil && !strings.Contains(err.Error(), tooMuch) {
					t.Errorf("%v, want that it is refused by its size", err)
				}
			}
		})
	}
}

// liar answers every question the same, and hangs up.
func liar(t *testing.T, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			question := make([]byte, 512)
			n, _ := conn.Read(question)
			if fields := bytes.Fields(question[:n]); strings.Contains(answer, "%") && len(fields) > 1 {
				_, _ = fmt.Fprintf(conn, answer, fields[1])
			} else {
				_, _ = conn.Write([]byte(answer))
			}
			_ = conn.Close()
		}
	}()
	return l.Addr().String()
}

func TestNewRefuses(t *testing.T) {
	for name, s := range map[string]memcached.Settings{
		"no server":       {Timeout: time.Second, Expiry: time.Hour},
		"no timeout":      {Servers: []string{"a:1"}, Expiry: time.Hour},
		"no expiry":       {Servers: []string{"a:1"}, Timeout: time.Second},
		"too long a time": {Servers: []string{"a:1"}, Timeout: time.Second, Expiry: 31 * 24 * time.Hour}, // Memcached takes it for a date
	} {
		if _, err := memcached.New(s); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func open(t testing.TB, s memcached.Settings) cache.Store {
	t.Helper()
	opened, err := memcached.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return opened
}

func store(t testing.TB, s cache.Store, key string) {
	t.Helper()
	if err := s.Put(t.Context(), key, []byte(key)); err != nil {
		t.Fatal(err)
	}
}
