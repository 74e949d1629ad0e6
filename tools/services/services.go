// Package services runs real Kafka, Cassandra and Memcached servers on this machine, for
// tests and for development.
//
// Purpose: to hold the bus, the ledger and the cache against the servers they will meet,
// killed, paused and restarted in the middle, with and without TLS and passwords.
//
// Concurrency: several services may run side by side, each in a folder of its own. The
// methods of one Service may be called from many goroutines.
//
// Guarantees: everything listens on loopback (127.0.0.1; a second Cassandra node on
// 127.0.0.2), on ports that stay the same until Stop. What Start began is gone when Stop
// returns nil, and when Start returns an error. Data survives kill -9.
//
// It will not: keep data safe from a power failure, or tune a server for speed.
package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/k8guard/k8guard/tools/daemon"
)

// Kind of a service.
type Kind string

// The services.
const (
	Kafka     Kind = "kafka"
	Cassandra Kind = "cassandra"
	Memcached Kind = "memcached"
)

// maxNodes of a service: two show what happens when one is gone.
const maxNodes = 2

// Kinds are all services.
func Kinds() []Kind { return []Kind{Kafka, Cassandra, Memcached} }

// ErrNotRunning says that a folder holds no service that runs.
var ErrNotRunning = errors.New("services: not running")

// Options of a service. Only Dir is required.
type Options struct {
	// Dir is the state folder: absent or empty, and of this service alone.
	Dir string
	// Nodes is the number of brokers or nodes, 1 or 2; 0 means 1.
	Nodes int
	// Secured turns on TLS and passwords; see Access.
	Secured bool
	// Detached lets the service outlive this process. Otherwise, on Linux, it dies with it.
	Detached bool
	// Progress is told what takes long; nil means nobody.
	Progress io.Writer
}

// Service is a server that was started: one or two nodes, each a process.
type Service struct {
	dir string

	mu    sync.Mutex
	state state
}

// maker is what differs between the kinds.
type maker interface {
	// prepare writes the nodes' files and appends the nodes to the state.
	prepare(ctx context.Context, s *Service, o Options) error
	// ready returns nil when the node serves.
	ready(ctx context.Context, s *Service, n *node) error
	// settle makes what all nodes together need once, such as users.
	settle(ctx context.Context, s *Service) error
	// oneByOne says that a node is started only when the one before it is ready.
	oneByOne() bool
}

func makerOf(kind Kind) (maker, error) {
	switch kind {
	case Kafka:
		return kafkaMaker{}, nil
	case Cassandra:
		return cassandraMaker{}, nil
	case Memcached:
		return memcachedMaker{}, nil
	}
	return nil, fmt.Errorf("services: no service is called %q, name one of %v", kind, Kinds())
}

// Start starts a service and returns when each node serves. The error of a node that died
// carries the end of its log.
func Start(ctx context.Context, kind Kind, o Options) (*Service, error) {
	m, err := makerOf(kind)
	if err != nil {
		return nil, err
	}
	if o.Nodes = max(o.Nodes, 1); o.Nodes > maxNodes || (o.Nodes > 1 && kind == Memcached) {
		return nil, fmt.Errorf("services: %d nodes of %s were asked for, 1 or 2 can be had (of memcached 1)", o.Nodes, kind)
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if missing := Missing(ctx, kind, o.Secured); len(missing) > 0 {
		return nil, &MissingError{Kind: kind, What: missing}
	}
	dir, err := daemon.Claim("services", "the service's", o.Dir)
	if err != nil {
		return nil, err
	}
	s := &Service{dir: dir, state: state{Kind: kind, Detached: o.Detached, Access: Access{Secured: o.Secured}}}
	if err := s.bringUp(ctx, m, o); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s in %s: %w", kind, dir, err), s.Stop())
	}
	return s, nil
}

func (s *Service) bringUp(ctx context.Context, m maker, o Options) error {
	began := time.Now()
	if o.Secured {
		if err := s.secure(); err != nil {
			return err
		}
	}
	if err := m.prepare(ctx, s, o); err != nil {
		return err
	}
	for _, n := range s.state.Nodes {
		if err := s.launch(n); err != nil {
			return err
		}
		if !m.oneByOne() {
			continue
		}
		if err := s.await(ctx, m, n); err != nil {
			return err
		}
	}
	for _, n := range s.state.Nodes {
		if err := s.await(ctx, m, n); err != nil {
			return err
		}
	}
	if err := m.settle(ctx, s); err != nil {
		return err
	}
	fmt.Fprintf(o.Progress, "%s: serves after %s\n", s.state.Kind, time.Since(began).Round(time.Millisecond))
	return nil
}
