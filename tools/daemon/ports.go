package daemon

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// Ports are taken from below the range of outgoing connections: within it, a client that
// dials a stopped server again and again can be given the server's own port and keep it from
// ever coming back.
const (
	lowestPort = 20000
	portCount  = 9000
	tries      = 200
)

// FreePorts returns n different ports that nothing listened on just now, on any of the hosts;
// none means 127.0.0.1. As long as this process lives no other that asks here is given them: who
// listens comes later, and may stop and start again.
func FreePorts(n int, hosts ...string) ([]int, error) {
	if len(hosts) == 0 {
		hosts = []string{"127.0.0.1"}
	}
	var held []net.Listener // to the end, so that none is given twice
	defer func() {
		for _, l := range held {
			_ = l.Close()
		}
	}()
	ports := make([]int, 0, n)
	var last error
	for range tries {
		port := lowestPort + rand.IntN(portCount)
		release, err := reserve(port)
		if err != nil {
			last = err
			continue
		}
		listeners, err := hold(port, hosts)
		held = append(held, listeners...)
		if last = err; err != nil {
			release()
			continue
		}
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("daemon: no free ports on %v between %d and %d", hosts, lowestPort, lowestPort+portCount), last)
}

// reserve locks a file of the port's name, which the kernel frees when the process dies. The file
// has no Go value that a collector could close.
func reserve(port int) (release func(), err error) {
	dir := filepath.Join(os.TempDir(), "k8guard-ports-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("daemon: %w", err)
	}
	fd, err := syscall.Open(filepath.Join(dir, strconv.Itoa(port)), syscall.O_CREAT|syscall.O_RDWR|syscall.O_CLOEXEC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("daemon: reserve port %d: %w", port, err)
	}
	release = func() { _ = syscall.Close(fd) }
	if err := syscall.Flock(fd, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		release()
		return nil, fmt.Errorf("daemon: port %d is another's: %w", port, err)
	}
	return release, nil
}

func hold(port int, hosts []string) ([]net.Listener, error) {
	var held []net.Listener
	for _, host := range hosts {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			return held, err
		}
		held = append(held, l)
	}
	return held, nil
}
