package memcached

import (
	"hash/fnv"
	"net"
)

// named is a server by its name, which is looked up at each connection: its address may change.
type named string

// Network implements net.Addr.
func (named) Network() string { return "tcp" }

// String implements net.Addr.
func (n named) String() string { return string(n) }

// servers implements memcache.ServerSelector.
type servers []named

// PickServer implements memcache.ServerSelector.
func (s servers) PickServer(key string) (net.Addr, error) { return s.pick(key), nil }

// pick chooses the server with the highest hash of its name and the key: with one more, or
// one less, only its own keys move.
func (s servers) pick(key string) named {
	best, highest := s[0], uint64(0)
	for _, server := range s {
		h := fnv.New64a()
		_, _ = h.Write([]byte(key + "\x00" + string(server)))
		if sum := h.Sum64(); sum > highest {
			best, highest = server, sum
		}
	}
	return best
}

// Each implements memcache.ServerSelector.
func (s servers) Each(f func(net.Addr) error) error {
	for _, server := range s {
		if err := f(server); err != nil {
			return err
		}
	}
	return nil
}
