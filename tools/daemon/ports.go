package daemon

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
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
// none means 127.0.0.1.
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
		listeners, err := hold(port, hosts)
		held = append(held, listeners...)
		if last = err; err != nil {
			continue
		}
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, errors.Join(fmt.Errorf("daemon: no free ports on %v between %d and %d", hosts, lowestPort, lowestPort+portCount), last)
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
