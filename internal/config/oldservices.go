package config

import (
	"fmt"
	"strings"
)

func (l *loader) oldBrokers(o oldLine) {
	l.assign(o, "bus.kafka.brokers", o.value)
	if o.cfg.Bus.Kind != BusKafka {
		l.warn(o.full, "does not choose the bus, which stays in one process; write bus.kind: kafka for discover, action and report apart")
	}
}

func (l *loader) oldTopic(o oldLine) {
	l.assign(o, "bus.kafka.firstTopic", o.value)
	if o.cfg.Bus.Kind != BusKafka {
		l.warn(o.full, "is not read while bus.kind is memory; with kafka, what a first K8Guard says there is a hint to judge that object again")
	}
}

// oldKafkaTLS takes a file over; whoever had one had TLS.
func (l *loader) oldKafkaTLS(o oldLine) {
	key := map[string]string{"KAFKA_CERT_FILE_PATH": "certFile", "KAFKA_KEY_FILE_PATH": "keyFile"}[o.name]
	l.assign(o, "bus.kafka.tls."+key, o.value)
	l.assign(o, "bus.kafka.tls.enabled", "true")
}

func (l *loader) oldHosts(o oldLine) {
	l.assign(o, "ledger.cassandra.hosts", o.value)
	if o.cfg.Ledger.Kind != LedgerCassandra {
		l.warn(o.full, "does not choose the ledger, which stays a file; write ledger.kind: cassandra and ledger.cassandra.localDC")
	}
}

// oldCassandra takes over what the first K8Guard said of Cassandra and is not a key by itself.
func (l *loader) oldCassandra(o oldLine) {
	if o.name == "ACTION_CASSANDRA_CAPATH" {
		l.assign(o, "ledger.cassandra.tls.caFile", o.value)
		l.assign(o, "ledger.cassandra.tls.enabled", "true")
		return
	}
	// To make tables in an existing keyspace only is no choice any more: each needs a right of its own.
	switch strings.ToLower(o.value) {
	case "false", "0":
		o.cfg.Ledger.Cassandra.CreateSchema = false
		l.mark(o, "ledger.cassandra.createSchema")
	case "true", "1":
	default:
		l.fail(o.where(), "", fmt.Sprintf("%q is neither true nor false", o.value))
	}
}

func (l *loader) oldMemcached(o oldLine) {
	l.assign(o, "cache.memcached.servers", o.value)
	if o.cfg.Cache.Kind != CacheMemcached {
		l.warn(o.full, "does not choose the cache, which stays in the process; write cache.kind: memcached, or K8GUARD_CACHE_TYPE=MEMCACHED")
	}
}

// oldCache takes over what the first K8Guard said of its cache and is not a key by itself. Its
// CACHE_TYPE was MEMCACHED unless something else was said.
func (l *loader) oldCache(o oldLine) {
	switch {
	case o.name == "CACHE_EXPIRATION_SECONDS" && o.value == "0":
		l.warn(o.full, "was for ever, which is no choice any more; write cache.expiry, up to 720h")
	case o.name == "CACHE_EXPIRATION_SECONDS":
		l.assign(o, "cache.expiry", o.value+"s")
	default:
		kind := strings.ToLower(o.value)
		if kind != CacheMemory && kind != CacheMemcached {
			l.warn(o.full, fmt.Sprintf("%q is no cache that there is; write cache.kind: memory or memcached", o.value))
			return
		}
		l.assign(o, "cache.kind", kind)
	}
}
