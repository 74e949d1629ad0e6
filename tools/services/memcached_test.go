package services_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"time"

	"github.com/bradfitz/gomemcache/memcache"

	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

func TestMemcached(t *testing.T) {
	s := servicestest.Start(t, services.Memcached)
	client := memcache.New(s.Addresses()...)
	defer func() { _ = client.Close() }()
	setAndGet(t, client)
	if err := s.Pause(0); err != nil {
		t.Fatal(err)
	}
	client.Timeout = time.Second
	if _, err := client.Get("key"); err == nil {
		t.Error("a paused server answers")
	}
	if err := s.Resume(0); err != nil {
		t.Fatal(err)
	}
	client.Timeout = 10 * time.Second
	if item, err := client.Get("key"); err != nil || string(item.Value) != "value" {
		t.Errorf("after the pause: %v, %v", item, err)
	}
	if err := errors.Join(s.Kill(0), s.Restart(t.Context(), 0)); err != nil {
		t.Fatal(err)
	}
	after := memcache.New(s.Addresses()...)
	defer func() { _ = after.Close() }()
	if _, err := after.Get("key"); !errors.Is(err, memcache.ErrCacheMiss) {
		t.Errorf("a cache that was killed: %v, want that it forgot", err)
	}
}

func TestMemcachedSecured(t *testing.T) {
	s := servicestest.StartWith(t, services.Memcached, services.Options{Secured: true})
	client := memcache.New(s.Addresses()...)
	defer func() { _ = client.Close() }()
	client.Timeout, client.DialContext = 10*time.Second, dialer(s.Access())
	setAndGet(t, client)

	wrong := s.Access()
	wrong.Password = "wrong"
	for name, dial := range map[string]func(context.Context, string, string) (net.Conn, error){
		"wrong password": dialer(wrong),
		"no TLS":         (&net.Dialer{}).DialContext,
	} {
		other := memcache.New(s.Addresses()...)
		other.Timeout, other.DialContext = 10*time.Second, dial
		if _, err := other.Get("key"); err == nil || errors.Is(err, memcache.ErrCacheMiss) {
			t.Errorf("%s: %v, want a refusal", name, err)
		}
		_ = other.Close()
	}
}

func setAndGet(t *testing.T, client *memcache.Client) {
	t.Helper()
	if err := client.Set(&memcache.Item{Key: "key", Value: []byte("value")}); err != nil {
		t.Fatal(err)
	}
	if item, err := client.Get("key"); err != nil || string(item.Value) != "value" {
		t.Fatalf("got %v, %v", item, err)
	}
}

func dialer(a services.Access) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		return services.DialMemcached(ctx, a, network, address)
	}
}
