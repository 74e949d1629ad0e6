package controlplane

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are taken from below the range of outgoing connections: within it, a client that
// dials a stopped API server again and again can be given the server's own port and keep
// it from ever coming back.
const (
	lowestPort = 20000
	portCount  = 9000
)

// freePorts returns n different ports of 127.0.0.1 that nothing listened on just now.
func freePorts(n int) ([]int, error) {
	ports := make([]int, 0, n)
	for range 200 {
		port := lowestPort + rand.IntN(portCount)
		l, err := net.Listen("tcp", local(port))
		if err != nil {
			continue
		}
		defer func() { _ = l.Close() }() // held to the end, so that none is given twice
		if ports = append(ports, port); len(ports) == n {
			return ports, nil
		}
	}
	return nil, errors.New("controlplane: no free ports on 127.0.0.1 between " +
		fmt.Sprint(lowestPort, " and ", lowestPort+portCount))
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
