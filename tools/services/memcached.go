package services

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"strings"
	"time"

	"github.com/k8guard/k8guard/tools/daemon"
)

type memcachedMaker struct{}

func (memcachedMaker) oneByOne() bool { return false }

func (memcachedMaker) settle(_ context.Context, s *Service) error { return s.settled() }

func (memcachedMaker) prepare(_ context.Context, s *Service, o Options) error {
	program, err := exec.LookPath("memcached")
	if err != nil {
		return fmt.Errorf("find memcached: %w", err)
	}
	ports, err := daemon.FreePorts(1)
	if err != nil {
		return err
	}
	me, err := user.Current()
	if err != nil {
		return fmt.Errorf("find out who runs this: %w", err)
	}
	n := &node{Name: "cache", Address: listenAt(ports[0]), Program: program}
	n.Args = []string{"-l", "127.0.0.1", "-p", fmt.Sprint(ports[0]), "-U", "0", "-m", "32", "-t", "2", "-c", "256", "-P", s.in(n.Name, "pid")}
	if me.Uid == "0" {
		n.Args = append(n.Args, "-u", me.Username) // it refuses to be root unless told to
	}
	s.state.Nodes = append(s.state.Nodes, n)
	if !o.Secured {
		return nil
	}
	users := s.in("pki", "memcached.users")
	if err := os.WriteFile(users, []byte(Admin+":"+s.Access().Password+"\n"), 0o600); err != nil {
		return fmt.Errorf("write memcached's users: %w", err)
	}
	n.Args = append(n.Args, "-Y", users, "-Z", "-o", "ssl_chain_cert="+s.serverPEM()+",ssl_key="+s.serverPEM())
	return nil
}

func (memcachedMaker) ready(ctx context.Context, s *Service, _ *node) error {
	conn, err := DialMemcached(ctx, s.Access(), "tcp", s.Addresses()[0])
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	answer, err := ask(conn, "version\r\n")
	if err == nil && !strings.HasPrefix(answer, "VERSION ") {
		err = fmt.Errorf("memcached says %q", answer)
	}
	return err
}

// DialMemcached connects and, if the service is secured, logs in: memcached's text protocol
// has the password as the value of a first "set". A client takes it as its dialer.
func DialMemcached(ctx context.Context, a Access, network, address string) (net.Conn, error) {
	config, err := a.TLS()
	if err != nil {
		return nil, err
	}
	if config == nil {
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, network, address)
	if err != nil {
		return nil, fmt.Errorf("connect to memcached: %w", err)
	}
	secret := Admin + " " + a.Password
	answer, err := ask(conn, fmt.Sprintf("set auth 0 0 %d\r\n%s\r\n", len(secret), secret))
	if err == nil && answer != "STORED" {
		err = errors.New("memcached refuses the password: " + answer)
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// ask sends a command whose answer is one line.
func ask(conn net.Conn, command string) (string, error) {
	if err := conn.SetDeadline(time.Now().Add(callWithin)); err != nil {
		return "", fmt.Errorf("speak to memcached: %w", err)
	}
	if _, err := conn.Write([]byte(command)); err != nil {
		return "", fmt.Errorf("speak to memcached: %w", err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n') // nothing follows the line
	if err != nil {
		return "", fmt.Errorf("speak to memcached: %w", err)
	}
	return strings.TrimSpace(line), conn.SetDeadline(time.Time{})
}
