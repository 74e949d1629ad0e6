package services

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/k8guard/k8guard/tools/devpki"
)

// The users of a secured service; they have one password. Memcached knows the first only.
const (
	// Admin may do everything. It is also the name in Access's certificate.
	Admin = "k8guard"
	// Guest may do nothing that Admin does not allow it.
	Guest = "guest"
)

// Access says how a client gets into a service. Not secured: without any of this.
//
// Secured, Kafka takes SASL over TLS (SCRAM-SHA-512 and PLAIN) at Addresses and a client's
// certificate at MutualAddresses; Cassandra a password over TLS; Memcached its text
// protocol's password over TLS.
type Access struct {
	Secured  bool   `json:"secured"`
	Password string `json:"password,omitempty"`
	CA       string `json:"ca,omitempty"` // files, PEM
	Cert     string `json:"cert,omitempty"`
	Key      string `json:"key,omitempty"`
}

// TLS is the client's configuration, with its certificate; nil if the service is not secured.
func (a Access) TLS() (*tls.Config, error) {
	if !a.Secured {
		return nil, nil //nolint:nilnil // crypto/tls and all three clients take nil for "no TLS"
	}
	text, err := os.ReadFile(a.CA)
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("services: %s holds no certificate", a.CA)
	}
	own, err := tls.LoadX509KeyPair(a.Cert, a.Key)
	if err != nil {
		return nil, fmt.Errorf("read the client's certificate: %w", err)
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, Certificates: []tls.Certificate{own}}, nil
}

// Kind of the service.
func (s *Service) Kind() Kind { return s.state.Kind }

// Dir is the absolute path of the state folder.
func (s *Service) Dir() string { return s.dir }

// Access to the service.
func (s *Service) Access() Access { return s.state.Access }

// Addresses of the nodes, host:port.
func (s *Service) Addresses() []string {
	return s.addresses(func(n *node) string { return n.Address })
}

// MutualAddresses are where a secured Kafka wants a client's certificate.
func (s *Service) MutualAddresses() []string {
	return s.addresses(func(n *node) string { return n.Mutual })
}

func (s *Service) addresses(of func(*node) string) (all []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.state.Nodes {
		if address := of(n); address != "" {
			all = append(all, address)
		}
	}
	return all
}

// Pids of all processes of the service, in the order of their start.
func (s *Service) Pids() (pids []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, n := range s.state.Nodes {
		pids = append(pids, n.Pid)
	}
	return pids
}

// secure makes the service's authority, certificates and password.
func (s *Service) secure() error {
	if err := os.Mkdir(s.in("pki"), 0o700); err != nil {
		return fmt.Errorf("make the folder of keys: %w", err)
	}
	ca, err := devpki.New(time.Now)
	if err != nil {
		return err
	}
	server, err := ca.Server(string(s.state.Kind), "127.0.0.2")
	if err != nil {
		return err
	}
	client, err := ca.Client(Admin)
	if err != nil {
		return err
	}
	a := &s.state.Access
	a.Password, a.CA, a.Cert, a.Key = rand.Text(), s.in("pki", "ca.crt"), s.in("pki", "client.crt"), s.in("pki", "client.key")
	return errors.Join(
		os.WriteFile(a.CA, ca.PEM(), 0o600),
		os.WriteFile(a.Cert, client.Cert, 0o600), os.WriteFile(a.Key, client.Key, 0o600),
		os.WriteFile(s.serverPEM(), append(server.Key, server.Cert...), 0o600),
	)
}

// serverPEM holds the server's key and certificate in one file, as Java and Memcached take them.
func (s *Service) serverPEM() string { return s.in("pki", "server.pem") }
