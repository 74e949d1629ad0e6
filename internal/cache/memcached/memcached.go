// Package memcached keeps values on Memcached servers, for all replicas.
//
// Purpose: what one process learnt serves the others, and the next one after a restart.
//
// Concurrency: every method may be called from many goroutines.
//
// Guarantees: a call takes two timeouts at most, one to connect and one to ask. A server that failed [failures]
// times in a row is not asked for [pause]; the others go on. Names are looked up at each
// connection, never at the start: New dials nothing. A key of any length and content is
// hashed. An answer that is larger than a value may be is refused before memory is taken.
//
// It will not: believe that a value is what was put (anyone who reaches a server without a
// login may write it), or try again what failed.
package memcached

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/bradfitz/gomemcache/memcache"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"

	"github.com/k8guard/k8guard/internal/cache"
)

const (
	failures = 3
	pause    = 5 * time.Second
	// idle is how many connections to a server stay open.
	idle = 8
	// keyPrefix keeps our keys apart from those of other programs, and formats apart.
	keyPrefix = "k8guard:1:"
)

// ErrPaused says that a server failed too often just now, and was not asked.
var ErrPaused = errors.New("memcached: the server failed just now and is left alone for some seconds")

// Settings is what [New] needs. Servers, Timeout and Expiry are required.
type Settings struct {
	Servers []string    // host:port
	TLS     *tls.Config // nil is in clear
	// Login returns the user and the password of servers that want one, at each connection;
	// nil is none.
	Login   func() (user, password string, err error)
	Timeout time.Duration
	// Expiry is how long a value is kept, thirty days at most.
	Expiry time.Duration
}

// Store is the cache. It implements cache.Store.
type Store struct {
	client   *memcache.Client
	servers  servers
	breakers map[net.Addr]circuitbreaker.CircuitBreaker[any]
	expiry   int32
}

// New makes a client; it dials nothing.
func New(s Settings) (*Store, error) {
	if len(s.Servers) == 0 || s.Timeout <= 0 || s.Expiry < time.Second || s.Expiry > 30*24*time.Hour {
		return nil, errors.New("memcached: servers, a timeout, and an expiry between a second and thirty days are needed")
	}
	store := &Store{breakers: map[net.Addr]circuitbreaker.CircuitBreaker[any]{}, expiry: int32(s.Expiry / time.Second)}
	for _, address := range s.Servers {
		at := named(address)
		store.servers = append(store.servers, at)
		store.breakers[at] = circuitbreaker.NewBuilder[any]().WithFailureThreshold(failures).WithDelay(pause).Build()
	}
	store.client = memcache.NewFromSelector(store.servers)
	store.client.Timeout, store.client.MaxIdleConns = s.Timeout, idle
	store.client.DialContext = (&dialer{settings: s}).dial
	return store, nil
}

// Get implements cache.Store.
func (s *Store) Get(ctx context.Context, key string) (value []byte, err error) {
	err = s.ask(ctx, key, func(hashed string) error {
		item, err := s.client.Get(hashed)
		if err == nil {
			value = item.Value
		}
		return err
	})
	if errors.Is(err, memcache.ErrCacheMiss) {
		return nil, cache.ErrMiss
	}
	if err == nil && len(value) > cache.MaxValue {
		return nil, cache.ErrTooLarge
	}
	return value, err
}

// Put implements cache.Store.
func (s *Store) Put(ctx context.Context, key string, value []byte) error {
	if len(value) > cache.MaxValue {
		return cache.ErrTooLarge
	}
	return s.ask(ctx, key, func(hashed string) error {
		return s.client.Set(&memcache.Item{Key: hashed, Value: value, Expiration: s.expiry})
	})
}

// ask asks the server of the key, unless that failed too often just now.
func (s *Store) ask(ctx context.Context, key string, do func(hashed string) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	hashed := hash(key)
	at := s.servers.pick(hashed)
	breaker := s.breakers[at]
	if !breaker.TryAcquirePermit() {
		return fmt.Errorf("%s: %w", at, ErrPaused)
	}
	err := do(hashed)
	if err == nil || errors.Is(err, memcache.ErrCacheMiss) {
		breaker.RecordSuccess()
		return err
	}
	breaker.RecordFailure()
	return fmt.Errorf("memcached %s: %w", at, err)
}

// hash makes a key that Memcached takes, of any text.
func hash(key string) string {
	sum := sha256.Sum256([]byte(key))
	return keyPrefix + hex.EncodeToString(sum[:])
}

// Close implements cache.Store.
func (s *Store) Close() error { return s.client.Close() }

var _ cache.Store = (*Store)(nil)
