package config

import (
	"fmt"
	"strings"
	"time"
)

const (
	minCacheExpiry  = time.Minute
	maxCacheExpiry  = 30 * 24 * time.Hour // a longer one Memcached takes for a date
	minCacheTimeout = 10 * time.Millisecond
	maxCacheTimeout = 5 * time.Second
)

func (c *checker) cache(k Cache) {
	c.oneOf("cache.kind", k.Kind, CacheMemory, CacheMemcached)
	c.bad(k.Expiry < minCacheExpiry || k.Expiry > maxCacheExpiry, "cache.expiry", "is not between 1m and 720h; write 168h")
	if k.Kind == CacheMemcached {
		c.memcached(k.Memcached)
	}
}

func (c *checker) memcached(m Memcached) {
	const key = "cache.memcached."
	c.bad(len(m.Servers) == 0, key+"servers", "is missing; list all servers")
	for i, h := range m.Servers {
		c.bad(!isHost(h), fmt.Sprintf("%sservers[%d]", key, i), "is no host; write a name or an address, with :port if it is not 11211")
	}
	c.bad(m.Timeout < minCacheTimeout || m.Timeout > maxCacheTimeout, key+"timeout", "is not between 10ms and 5s; write 200ms")
	secret := !m.Password.Empty() || m.PasswordFile != ""
	c.bad(m.Username == "" && secret, key+"username", "is missing beside a password; write whose it is")
	c.bad(m.Username != "" && !secret, key+"passwordFile", "is missing beside a username; write a file that holds the password")
	c.bad(strings.ContainsAny(m.Username, " \r\n"), key+"username", "has a space; memcached knows no such user")
	c.clientTLS(key+"tls", m.TLS)
}

// warnCache names settings of the cache that are legal and probably not meant.
func warnCache(k Cache) (all []Warning) {
	if k.Kind == CacheMemcached && k.Memcached.Username != "" && !k.Memcached.TLS.Enabled {
		all = append(all, Warning{"cache.memcached.tls.enabled", "is false: the password goes over the network in clear"})
	}
	return all
}
