package memcached

import (
	"net"

	"github.com/k8guard/k8guard/internal/config"
)

// usual is Memcached's port.
const usual = "11211"

// FromConfig reads the files that the configuration names.
func FromConfig(c config.Cache) (Settings, error) {
	m := c.Memcached
	s := Settings{Timeout: m.Timeout, Expiry: c.Expiry}
	for _, server := range m.Servers {
		if _, _, err := net.SplitHostPort(server); err != nil {
			server = net.JoinHostPort(server, usual)
		}
		s.Servers = append(s.Servers, server)
	}
	if m.Username != "" {
		s.Login = func() (string, string, error) {
			password, err := m.Password.OrFile("cache.memcached.passwordFile", m.PasswordFile)
			return m.Username, password, err
		}
		if _, _, err := s.Login(); err != nil {
			return s, err
		}
	}
	var err error
	s.TLS, err = m.TLS.Load("cache.memcached.tls")
	return s, err
}
