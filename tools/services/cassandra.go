package services

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/tools/daemon"
)

// born is the superuser, and its password, that a new Cassandra has.
const born = "cassandra"

// cassandraMaker makes nodes of one ring, on the same ports of 127.0.0.1 and 127.0.0.2.
type cassandraMaker struct{}

func (cassandraMaker) oneByOne() bool { return true } // the second asks the first for the ring

func (cassandraMaker) prepare(ctx context.Context, s *Service, o Options) error {
	java, err := java(ctx, Cassandra)
	if err != nil {
		return err
	}
	lib, err := Fetch(ctx, Cassandra, o.Progress)
	if err != nil {
		return err
	}
	hosts := []string{"127.0.0.1", "127.0.0.2"}[:o.Nodes]
	ports, err := daemon.FreePorts(2, hosts...)
	if err != nil {
		return fmt.Errorf("%w (a second node needs 127.0.0.2, which only Linux has from the start)", err)
	}
	if err := os.Mkdir(s.in("conf"), 0o700); err != nil {
		return fmt.Errorf("make the folder of settings: %w", err)
	}
	if err := os.WriteFile(s.in("conf", "logback.xml"), []byte(logback), 0o600); err != nil {
		return fmt.Errorf("write the log's settings: %w", err)
	}
	for i, host := range hosts {
		n := &node{Name: fmt.Sprintf("node-%d", i+1), Address: host + ":" + strconv.Itoa(ports[0]), Program: java}
		s.state.Nodes = append(s.state.Nodes, n)
		if err := os.MkdirAll(s.in(n.Name, "tmp"), 0o700); err != nil {
			return fmt.Errorf("make the folder of %s: %w", n.Name, err)
		}
		settings := cassandraSettings{host: host, client: ports[0], storage: ports[1], first: i == 0}
		if err := os.WriteFile(s.in(n.Name, "cassandra.yaml"), []byte(settings.yaml(s, n)), 0o600); err != nil {
			return fmt.Errorf("write the settings of %s: %w", n.Name, err)
		}
		n.Args = cassandraArguments(s, n, lib, i == 0)
	}
	return nil
}

func cassandraArguments(s *Service, n *node, lib string, first bool) []string {
	ringDelay := "0"
	if !first {
		ringDelay = "3000" // with 0 it gives up on its seed at once
	}
	args := append(smallJVM("512m", s.in(n.Name, "tmp")), cassandraOpens()...)
	return append(args, "-Djdk.attach.allowAttachSelf=true",
		"-Djna.tmpdir="+s.in(n.Name, "tmp"),
		"-Dcassandra.config=file://"+s.in(n.Name, "cassandra.yaml"), "-Dcassandra.storagedir="+s.in(n.Name, "data"),
		"-Dcassandra-foreground=yes", "-Dcassandra.superuser_setup_delay_ms=0",
		"-Dcassandra.skip_wait_for_gossip_to_settle=0", "-Dcassandra.ring_delay_ms="+ringDelay,
		"-Dlogback.configurationFile="+s.in("conf", "logback.xml"),
		"-cp", filepath.Join(lib, "*"), "org.apache.cassandra.service.CassandraDaemon")
}

// ready asks the node itself: it has joined, and sees all others.
func (cassandraMaker) ready(ctx context.Context, s *Service, n *node) error {
	session, err := s.cassandraSession(n)
	if err != nil {
		return err
	}
	defer session.Close()
	var joined string
	if err := session.Query("SELECT bootstrapped FROM system.local").ScanContext(ctx, &joined); err != nil {
		return fmt.Errorf("ask %s whether it joined: %w", n.Name, err)
	}
	if joined != "COMPLETED" {
		return fmt.Errorf("%s is %q, not yet in the ring", n.Name, joined)
	}
	return nil
}

// CassandraSession opens a session with one node alone, as the administrator, for what is
// about that node. Programs under test make sessions of their own.
func (s *Service) cassandraSession(n *node) (*gocql.Session, error) {
	config := gocql.NewCluster(n.Address)
	config.DisableInitialHostLookup = true
	config.Timeout, config.ConnectTimeout = callWithin, callWithin
	config.Logger = gocql.NewLogger(gocql.LogLevelNone) // not ready yet is no news
	access := s.Access()
	tlsConfig, err := access.TLS()
	if err != nil {
		return nil, err
	}
	if access.Secured {
		name, password := born, born
		if s.isSettled() {
			name, password = Admin, access.Password
		}
		config.SslOpts = &gocql.SslOptions{Config: tlsConfig, EnableHostVerification: true}
		config.Authenticator = gocql.PasswordAuthenticator{Username: name, Password: password}
	}
	session, err := config.CreateSession()
	if err != nil {
		return nil, fmt.Errorf("open a session with %s: %w", n.Name, err)
	}
	return session, nil
}

// settle waits until the nodes see each other, and makes the users of a secured ring.
func (m cassandraMaker) settle(ctx context.Context, s *Service) error {
	for _, n := range s.state.Nodes {
		if err := s.poll(ctx, n, func(ctx context.Context) error { return s.seesOthers(ctx, n) }); err != nil {
			return err
		}
	}
	if s.Access().Secured {
		if err := s.makeRoles(ctx, s.state.Nodes[0]); err != nil {
			return err
		}
	}
	if err := s.settled(); err != nil {
		return err
	}
	for _, n := range s.state.Nodes { // with the new user
		if err := s.await(ctx, m, n); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) seesOthers(ctx context.Context, n *node) error {
	session, err := s.cassandraSession(n)
	if err != nil {
		return err
	}
	defer session.Close()
	var peers int
	if err := session.Query("SELECT count(*) FROM system.peers_v2").ScanContext(ctx, &peers); err != nil {
		return fmt.Errorf("ask %s for its peers: %w", n.Name, err)
	}
	if want := len(s.state.Nodes) - 1; peers < want {
		return fmt.Errorf("%s sees %d of %d other nodes", n.Name, peers, want)
	}
	return nil
}

// makeRoles puts roles of ours in the place of the one with the known password. The roles
// are kept by every node, so that one can be down.
func (s *Service) makeRoles(ctx context.Context, n *node) error {
	session, err := s.cassandraSession(n)
	if err != nil {
		return err
	}
	password := s.Access().Password
	for _, statement := range []string{
		fmt.Sprintf("ALTER KEYSPACE system_auth WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': %d}", len(s.state.Nodes)),
		fmt.Sprintf("CREATE ROLE %s WITH SUPERUSER = true AND LOGIN = true AND PASSWORD = '%s'", Admin, password),
		fmt.Sprintf("CREATE ROLE %s WITH LOGIN = true AND PASSWORD = '%s'", Guest, password),
	} {
		if err := session.Query(statement).ExecContext(ctx); err != nil {
			session.Close()
			return fmt.Errorf("make Cassandra's roles: %w", err)
		}
	}
	session.Close()
	if err := s.settled(); err != nil { // from now on as the administrator
		return err
	}
	return s.poll(ctx, n, func(ctx context.Context) error {
		session, err := s.cassandraSession(n)
		if err != nil {
			return err
		}
		defer session.Close()
		return session.Query("ALTER ROLE " + born + " WITH SUPERUSER = false AND LOGIN = false AND PASSWORD = '" + password + "'").ExecContext(ctx)
	})
}

func (s *Service) isSettled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Settled
}
