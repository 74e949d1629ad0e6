package config

// OldVariable is an environment variable of the first K8Guard, and what became of it.
type OldVariable struct {
	// Name is without K8GUARD_; one that ends in * stands for all that begin so.
	Name string
	// Key is what it sets here; empty where it has no place any more.
	Key string
	// Note says what replaced it, or what else is to know.
	Note string

	take func(l *loader, o oldLine)
}

// OldVariables are all that the first K8Guard read, as its users know them.
func OldVariables() []OldVariable {
	const (
		exempt = "write an entry of exemptions, with a reason and an end; it matches whole names, not beginnings"
		inside = "has no effect: \"run\" joins its parts in one process and needs no broker; Kafka is the one that joins services (bus.kind)"
	)
	return append([]OldVariable{
		sets("CLUSTER_NAME", "cluster.name"),
		gone("NAMESPACE", "has no effect: all namespaces are judged; narrow what follows with policies[].match.namespaces"),
		sets("IGNORE_NAMESPACES", "discover.ignoreNamespaces"),
		gone("IGNORE_PODS_PREFIX", exempt), gone("IGNORE_DEPLOYMENTS", exempt), gone("IGNORE_DAEMONSETS", exempt),
		gone("IGNORE_JOBS", exempt), gone("IGNORE_CRONJOBS", exempt),
		sets("APPROVED_IMAGE_REPOS", "rules.IMAGE_REPO.approved"),
		by("APPROVED_IMAGE_SIZE", "rules.IMAGE_SIZE.limit", "was in MB of 1024 × 1024 bytes; written as Mi", (*loader).oldSize),
		sets("APPROVED_INGRESS_SUFFIXES", "rules.INGRESS_HOST_INVALID.approvedSuffixes"),
		sets("INGRESS_MUST_CONTAIN", "rules.INGRESS_HOST_INVALID.mustContain"),
		sets("INGRESS_MUST_NOT_CONTAIN", "rules.INGRESS_HOST_INVALID.mustNotContain"),
		by("IGNORED_VIOLATIONS", "rules.disabled", "an entry about some objects only becomes one of exemptions, by hand", (*loader).oldIgnored),
		sets("REQUIRED_ENTITIES", "rules.REQUIRED_ENTITIES"), sets("REQUIRED_ANNOTATIONS", "rules.REQUIRED_ANNOTATIONS"),
		sets("REQUIRED_LABELS", "rules.REQUIRED_LABELS"),
		by("CACHE_TYPE", "cache.kind", "MEMORY or MEMCACHED", (*loader).oldCache),
		by("CACHE_EXPIRATION_SECONDS", "cache.expiry", "0 was for ever, which is no choice any more", (*loader).oldCache),
		by("MEMCACHED_HOSTNAME", "cache.memcached.servers", "does not choose the cache: that is cache.kind, or K8GUARD_CACHE_TYPE=MEMCACHED", (*loader).oldMemcached),
		by("LOG_LEVEL", "log.level", "in lower case; WARNING is warn, FATAL and PANIC are error", (*loader).oldLevel),
		gone("MESSAGE_BROKER", inside), gone("RMQ_*", inside),
		gone("OUTPUT_PODS_TO_FILE", "has no effect: see the report and its JSON"),
		gone("INCLUDE_ALPHA", "has no effect: alpha kinds are not judged, and CronJobs always are"),
	}, append(oldServices(), oldAction()...)...)
}

// oldServices are those of Kafka and Cassandra.
func oldServices() []OldVariable {
	const schema = "both are one choice: to make tables only wants a right of its own"
	return []OldVariable{
		by("KAFKA_BROKERS", "bus.kafka.brokers", "does not choose the bus: that is bus.kind: kafka, for discover, action and report apart", (*loader).oldBrokers),
		by("KAFKA_ACTION_TOPIC", "bus.kafka.firstTopic", "what a first K8Guard says there is a hint to judge that object again; our own topics begin with bus.kafka.prefix", (*loader).oldTopic),
		gone("KAFKA_EVENT_TOPIC", "has no effect: topics are PREFIX.observations, .requests and .deadletters (bus.kafka.prefix)"),
		by("KAFKA_CERT_FILE_PATH", "bus.kafka.tls.certFile", "switches bus.kafka.tls.enabled on", (*loader).oldKafkaTLS),
		by("KAFKA_KEY_FILE_PATH", "bus.kafka.tls.keyFile", "switches bus.kafka.tls.enabled on", (*loader).oldKafkaTLS),
		gone("KAFKA_KEY_PASSWORD", "has no effect: keys have no password; write the key without one, and keep its file from others"),
		by("ACTION_CASSANDRA_HOSTS", "ledger.cassandra.hosts", "does not choose the ledger, which is a file: that is ledger.kind: cassandra, with ledger.cassandra.localDC", (*loader).oldHosts),
		sets("ACTION_CASSANDRA_KEYSPACE", "ledger.cassandra.keyspace"), sets("ACTION_CASSANDRA_USERNAME", "ledger.cassandra.username"),
		sets("ACTION_CASSANDRA_PASSWORD", "ledger.cassandra.password"),
		by("ACTION_CASSANDRA_CAPATH", "ledger.cassandra.tls.caFile", "switches ledger.cassandra.tls.enabled on", (*loader).oldCassandra),
		gone("ACTION_CASSANDRA_SSL_HOST_VALIDATION", "has no effect: certificates are always checked; where their name is not the node's address, write ledger.cassandra.tls.serverName"),
		by("CASSANDRA_CREATE_KEYSPACE", "ledger.cassandra.createSchema", schema, (*loader).oldCassandra),
		by("CASSANDRA_CREATE_TABLES", "ledger.cassandra.createSchema", schema, (*loader).oldCassandra),
	}
}

// oldAction are those of what is told and done.
func oldAction() []OldVariable {
	return []OldVariable{
		sets("ACTION_SLACK_TOKEN", "notify.slack.token"),
		by("ACTION_SLACK_CHANNEL", "notify.slack.channel", "write the channel's id (C0123ABCD), not its name: only so anything on Slack counts as a warning",
			func(l *loader, o oldLine) { l.assign(o, "notify.slack.channel", o.value) }),
		sets("ACTION_HIPCHAT_TOKEN", "notify.hipchat.token"), sets("ACTION_HIPCHAT_ROOM_ID", "notify.hipchat.room"),
		sets("ACTION_HIPCHAT_BASE_URL", "notify.hipchat.baseURL"), sets("ACTION_HIPCHAT_TAG_NAMESPACE_OWNER", "notify.hipchat.tagOwners"),
		sets("ACTION_ANNOTATION_FORMAT_FOR_CHAT_IDS", "owners.chatAnnotation"),
		sets("ACTION_ANNOTATION_FORMAT_FOR_EMAILS", "owners.emailAnnotation"),
		gone("ACTION_DURATION_BETWEEN_CHAT_NOTIFICATIONS", "write notify.gap, the least time between two digests to one owner, on every channel"),
		by("ACTION_DURATION_BETWEEN_NOTIFYING_AGAIN", "policies[].ladder.wait", "also lastWait; where the file has policies, write it there", (*loader).oldLadder),
		by("ACTION_WARNING_COUNT_BEFORE_ACTION", "policies[].ladder.warnings", "where the file has policies, write it there", (*loader).oldLadder),
		gone("ACTION_DURATION_VIOLATION_EXPIRES", "has no effect: a case ends when the violation does"),
		gone("ACTION_DURATION_BETWEEN_CONSUMING_VIOLATIONS", "has no effect: violations are taken as they come"),
		by("ACTION_DRY_RUN", "enforce.mode", "true is dry-run; false switches nothing on", (*loader).oldMode),
		by("ACTION_SAFE_MODE", "enforce.mode", "true is safe; false does not switch enforcement on", (*loader).oldMode),
		sets("ACTION_SMTP_SERVER", "notify.email.host"),
		by("ACTION_SMTP_PORT", "notify.email.port", "465 also sets notify.email.tls: tls", (*loader).oldPort),
		sets("ACTION_SMTP_USERNAME", "notify.email.username"), sets("ACTION_SMTP_PASSWORD", "notify.email.password"),
		sets("ACTION_SMTP_SEND_FROM", "notify.email.from"), sets("ACTION_SMTP_FALLBACK_SEND_TO", "owners.fallback"),
		gone("ACTION_SMTP_SEND_TO_NAMESAPCE_OWNER", "has no effect: owners are always told; enforce.mode: dry-run tells nobody"),
		gone("ACTION_VIOLATION_EMAIL_FOOTER", "has no effect: mails have no footer of their own"),
	}
}

// sets is a variable whose value is that of a key.
func sets(name, key string) OldVariable {
	return by(name, key, "", func(l *loader, o oldLine) { l.assign(o, key, o.value) })
}

// by is a variable that wants more than that.
func by(name, key, note string, take func(*loader, oldLine)) OldVariable {
	return OldVariable{Name: name, Key: key, Note: note, take: take}
}

// gone is a variable that has no place any more.
func gone(name, note string) OldVariable {
	return OldVariable{Name: name, Note: note, take: func(l *loader, o oldLine) { l.warn(o.full, note) }}
}
