package config

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	minLedgerTimeout = 3 * time.Second // Cassandra's own waits are 2 s and less
	maxLedgerTimeout = 30 * time.Second
)

func (c *checker) ledger(l Ledger) {
	c.oneOf("ledger.kind", l.Kind, LedgerSQLite, LedgerCassandra)
	if l.Kind == LedgerCassandra {
		c.cassandra(l.Cassandra)
	}
}

func (c *checker) cassandra(l Cassandra) {
	const key = "ledger.cassandra."
	c.bad(len(l.Hosts) == 0, key+"hosts", "is missing; list some nodes of the local data center")
	for i, h := range l.Hosts {
		c.bad(!isHost(h), fmt.Sprintf("%shosts[%d]", key, i), "is no host; write a name or an address, with :port if it is not 9042")
	}
	c.bad(!regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`).MatchString(l.Keyspace), key+"keyspace",
		"is no name; write up to 48 lower-case letters, digits and _, a letter first")
	c.bad(!regexp.MustCompile(`^[A-Za-z0-9_.-]+$`).MatchString(l.LocalDC), key+"localDC",
		"is no name; write the data center of the hosts, as \"nodetool status\" calls it")
	c.bad(l.Replication < 1 || l.Replication > 3, key+"replication", "is not 1, 2 or 3; write 3 where there are three nodes")
	c.bad(l.Timeout < minLedgerTimeout || l.Timeout > maxLedgerTimeout, key+"timeout", "is not between 3s and 30s; write 10s")
	secret := !l.Password.Empty() || l.PasswordFile != ""
	c.bad(l.Username == "" && secret, key+"username", "is missing beside a password; write whose it is")
	c.bad(l.Username != "" && !secret, key+"passwordFile", "is missing beside a username; write a file that holds the password")
	c.clientTLS(key+"tls", l.TLS)
}

func isHost(h string) bool {
	name := h
	if host, port, err := net.SplitHostPort(h); err == nil {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return false
		}
		name = host
	} else if strings.Contains(h, ":") && net.ParseIP(h) == nil {
		return false
	}
	return name != "" && !strings.ContainsAny(name, " /@,")
}

// warnLedger names settings of the ledger that are legal and probably not meant.
func warnLedger(l Ledger) (all []Warning) {
	if l.Kind == LedgerCassandra && l.Cassandra.Username != "" && !l.Cassandra.TLS.Enabled {
		all = append(all, Warning{"ledger.cassandra.tls.enabled", "is false: the password goes over the network in clear"})
	}
	if l.Kind == LedgerCassandra && l.Cassandra.CreateSchema && l.Cassandra.Replication < 3 {
		all = append(all, Warning{"ledger.cassandra.replication", "is below 3: with one node away nothing is written, or what it held is lost"})
	}
	return all
}
