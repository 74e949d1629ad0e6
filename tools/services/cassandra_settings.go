package services

import (
	"fmt"
	"strings"
)

const logback = `<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%date{ISO8601} %-5level [%thread] %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
`

// cassandraSettings of one node.
type cassandraSettings struct {
	host            string
	client, storage int
	first           bool
}

func (c cassandraSettings) yaml(s *Service, n *node) string {
	data := func(name string) string { return s.in(n.Name, "data", name) }
	lines := []string{
		"cluster_name: k8guard", "num_tokens: 4", "partitioner: org.apache.cassandra.dht.Murmur3Partitioner",
		// Periodic, the default, answers up to 100 ms before what it writes can be replayed: kill -9 lost it.
		"commitlog_sync: batch",
		"data_file_directories: ['" + data("data") + "']", "commitlog_directory: '" + data("commitlog") + "'",
		"hints_directory: '" + data("hints") + "'", "saved_caches_directory: '" + data("caches") + "'", "cdc_raw_directory: '" + data("cdc") + "'",
		"endpoint_snitch: SimpleSnitch", "listen_address: " + c.host, "rpc_address: " + c.host,
		fmt.Sprintf("native_transport_port: %d", c.client), fmt.Sprintf("storage_port: %d", c.storage), "start_native_transport: true",
		"seed_provider:", "  - class_name: org.apache.cassandra.locator.SimpleSeedProvider",
		fmt.Sprintf("    parameters: [{seeds: '127.0.0.1:%d'}]", c.storage),
		fmt.Sprintf("auto_bootstrap: %t", c.first), // a new ring has nothing to stream to its second node
		"storage_compatibility_mode: NONE", "file_cache_size: 64MiB", "sasi_indexes_enabled: false",
		"concurrent_reads: 8", "concurrent_writes: 8", "concurrent_counter_writes: 2", "auto_snapshot: false",
	}
	return strings.Join(append(lines, c.security(s)...), "\n") + "\n"
}

func (c cassandraSettings) security(s *Service) []string {
	if !s.Access().Secured {
		return nil
	}
	return []string{
		"authenticator: PasswordAuthenticator", "authorizer: CassandraAuthorizer", "role_manager: CassandraRoleManager",
		"auth_read_consistency_level: ONE", // one of two nodes may be down
		"client_encryption_options:", "  enabled: true", "  optional: false", "  require_client_auth: false",
		"  ssl_context_factory:", "    class_name: org.apache.cassandra.security.PEMBasedSslContextFactory",
		"  keystore: '" + s.serverPEM() + "'", "  truststore: '" + s.Access().CA + "'",
	}
}

// cassandraOpens are the doors into the JVM that Cassandra needs, as in its own jvm17-server.options.
func cassandraOpens() (flags []string) {
	for _, export := range strings.Fields(`java.base/jdk.internal.misc java.management.rmi/com.sun.jmx.remote.internal.rmi
		java.rmi/sun.rmi.registry java.rmi/sun.rmi.server java.rmi/sun.rmi.transport.tcp java.sql/java.sql java.base/java.lang.ref
		java.base/jdk.internal.ref java.base/jdk.internal.math java.base/jdk.internal.module java.base/jdk.internal.util.jar
		jdk.management/com.sun.management.internal`) {
		flags = append(flags, "--add-exports", export+"=ALL-UNNAMED")
	}
	for _, open := range strings.Fields(`java.base/java.lang.module java.base/jdk.internal.loader java.base/jdk.internal.ref
		java.base/jdk.internal.reflect java.base/jdk.internal.math java.base/jdk.internal.module java.base/jdk.internal.util.jar
		jdk.management/com.sun.management.internal java.base/sun.nio.ch java.base/java.io java.base/java.lang java.base/java.nio
		java.base/java.util java.base/java.util.concurrent java.base/java.util.concurrent.atomic`) {
		flags = append(flags, "--add-opens", open+"=ALL-UNNAMED")
	}
	return flags
}
