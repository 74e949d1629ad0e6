package config

import (
	"fmt"
	"slices"
	"strings"
)

// OldPrefix begins the environment variables of the first K8Guard.
const OldPrefix = "K8GUARD_"

// oldNames are the variables of the first K8Guard that have a key here.
func oldNames() map[string]string {
	return map[string]string{ //nolint:gosec // names of variables; none is a secret
		"CLUSTER_NAME": "cluster.name", "IGNORE_NAMESPACES": "discover.ignoreNamespaces",
		"APPROVED_IMAGE_REPOS": "rules.IMAGE_REPO.approved", "APPROVED_INGRESS_SUFFIXES": "rules.INGRESS_HOST_INVALID.approvedSuffixes",
		"INGRESS_MUST_CONTAIN": "rules.INGRESS_HOST_INVALID.mustContain", "INGRESS_MUST_NOT_CONTAIN": "rules.INGRESS_HOST_INVALID.mustNotContain",
		"REQUIRED_ANNOTATIONS": "rules.REQUIRED_ANNOTATIONS", "REQUIRED_LABELS": "rules.REQUIRED_LABELS", "REQUIRED_ENTITIES": "rules.REQUIRED_ENTITIES", "LOG_LEVEL": "log.level",
		"ACTION_ANNOTATION_FORMAT_FOR_EMAILS": "owners.emailAnnotation", "ACTION_SMTP_FALLBACK_SEND_TO": "owners.fallback",
		"ACTION_SMTP_SERVER": "notify.email.host", "ACTION_SMTP_PORT": "notify.email.port", "ACTION_SMTP_USERNAME": "notify.email.username",
		"ACTION_SMTP_PASSWORD": "notify.email.password", "ACTION_SMTP_SEND_FROM": "notify.email.from",
		"ACTION_SLACK_TOKEN": "notify.slack.token", "ACTION_SLACK_CHANNEL": "notify.slack.channel",
		"ACTION_HIPCHAT_TOKEN": "notify.hipchat.token", "ACTION_HIPCHAT_ROOM_ID": "notify.hipchat.room", "ACTION_HIPCHAT_BASE_URL": "notify.hipchat.baseURL",
		"ACTION_HIPCHAT_TAG_NAMESPACE_OWNER": "notify.hipchat.tagOwners", "ACTION_ANNOTATION_FORMAT_FOR_CHAT_IDS": "owners.chatAnnotation",
		"KAFKA_BROKERS": "bus.kafka.brokers", "KAFKA_CERT_FILE_PATH": "bus.kafka.tls.certFile", "KAFKA_KEY_FILE_PATH": "bus.kafka.tls.keyFile",
		"MEMCACHED_HOSTNAME":     "cache.memcached.servers",
		"ACTION_CASSANDRA_HOSTS": "ledger.cassandra.hosts", "ACTION_CASSANDRA_KEYSPACE": "ledger.cassandra.keyspace",
		"ACTION_CASSANDRA_USERNAME": "ledger.cassandra.username", "ACTION_CASSANDRA_PASSWORD": "ledger.cassandra.password",
	}
}

// replaced says what stands in the place of a variable that has no key here, or "" for a
// name that the first K8Guard did not know.
func replaced(name string) string {
	const (
		exempt = "write an entry of exemptions, with a reason and an end"
		ladder = "write it into policies[].ladder"
		inside = "has no effect: \"run\" joins its parts in one process and needs no broker"
		topics = "has no effect: topics are PREFIX.observations, .requests and .deadletters (bus.kafka.prefix), and keys have no password"
	)
	for prefix, text := range map[string]string{
		"IGNORE_PODS_PREFIX": exempt, "IGNORE_DEPLOYMENTS": exempt, "IGNORE_DAEMONSETS": exempt, "IGNORE_JOBS": exempt, "IGNORE_CRONJOBS": exempt,
		"NAMESPACE":      "has no effect: all namespaces are judged; narrow what follows with policies[].match.namespaces",
		"MESSAGE_BROKER": inside, "KAFKA_*": topics, "RMQ_*": inside,
		"ACTION_DURATION_BETWEEN_CHAT_NOTIFICATIONS": "write notify.gap, which is for every channel",
		"ACTION_DURATION_BETWEEN_NOTIFYING_AGAIN":    ladder + ".wait", "ACTION_WARNING_COUNT_BEFORE_ACTION": ladder + ".warnings",
		"ACTION_DURATION_VIOLATION_EXPIRES":            "has no effect: a case ends when the violation does",
		"ACTION_DURATION_BETWEEN_CONSUMING_VIOLATIONS": "has no effect: violations are taken as they come",
		"ACTION_SMTP_SEND_TO_NAMESAPCE_OWNER":          "has no effect: owners are always told; enforce.mode: dry-run tells nobody",
		"ACTION_VIOLATION_EMAIL_FOOTER":                "has no effect: mails have no footer of their own",
		"OUTPUT_PODS_TO_FILE":                          "has no effect: see the report and its JSON", "INCLUDE_ALPHA": "has no effect: alpha kinds are not judged",
	} {
		if stem, any := strings.CutSuffix(prefix, "*"); name == prefix || any && strings.HasPrefix(name, stem) {
			return text
		}
	}
	return ""
}

// old takes over the variables of the first K8Guard. Those that have no meaning here are
// warnings; other names are left alone, for Kubernetes sets some of its own.
func (l *loader) old(env, rules []string, cfg *Config) {
	env = slices.Clone(env)
	slices.Sort(env)
	for _, line := range env {
		full, value, _ := strings.Cut(line, "=")
		name, ours := strings.CutPrefix(full, OldPrefix)
		if !ours || strings.HasPrefix(full, Prefix) {
			continue
		}
		where := "environment variable " + full
		if key := oldNames()[name]; key != "" {
			if name == "LOG_LEVEL" {
				value = strings.ToLower(value)
			}
			l.override(where, strings.Split(key, "."), value, cfg)
			if name == "ACTION_CASSANDRA_HOSTS" && cfg.Ledger.Kind != LedgerCassandra {
				l.warn(full, "does not choose the ledger, which stays a file; write ledger.kind: cassandra and ledger.cassandra.localDC")
			}
			if name == "KAFKA_BROKERS" && cfg.Bus.Kind != BusKafka {
				l.warn(full, "does not choose the bus, which stays in one process; write bus.kind: kafka for discover, action and report apart")
			}
			if name == "MEMCACHED_HOSTNAME" && cfg.Cache.Kind != CacheMemcached {
				l.warn(full, "does not choose the cache, which stays in the process; write cache.kind: memcached, or K8GUARD_CACHE_TYPE=MEMCACHED")
			}
			continue
		}
		switch {
		case strings.HasPrefix(name, "CACHE_"):
			l.oldCache(full, name, value, cfg)
		case name == "ACTION_DRY_RUN" || name == "ACTION_SAFE_MODE":
			l.oldMode(full, name, value, cfg)
		case name == "APPROVED_IMAGE_SIZE":
			l.override(where, []string{"rules", "IMAGE_SIZE", "limit"}, value+"Mi", cfg) // it was in MB of 1024 * 1024
		case strings.HasPrefix(name, "ACTION_CASSANDRA_") || strings.HasPrefix(name, "CASSANDRA_CREATE_"):
			l.oldCassandra(full, name, value, cfg)
		case name == "IGNORED_VIOLATIONS":
			l.oldIgnored(full, value, rules, cfg)
		case replaced(name) != "":
			l.warn(full, replaced(name))
		}
	}
}

// oldMode only ever makes it safer: that nothing forbids acts does not switch them on.
func (l *loader) oldMode(full, name, value string, cfg *Config) {
	mode := map[string]string{"ACTION_DRY_RUN": ModeDryRun, "ACTION_SAFE_MODE": ModeSafe}[name]
	switch strings.ToLower(value) {
	case "true", "1":
		if cfg.Enforce.Mode != ModeDryRun {
			cfg.Enforce.Mode = mode
		}
		l.origin["enforce.mode"] = "environment variable " + full
	case "false", "0", "":
		if name == "ACTION_SAFE_MODE" && cfg.Enforce.Mode != ModeEnforce {
			l.warn(full, "does not switch enforcement on; write enforce.mode: enforce, after reading docs/gate.md")
		}
	default:
		l.fail("environment variable "+full, "", fmt.Sprintf("%q is neither true nor false", value))
	}
}

// oldIgnored disables the rules that are named plainly.
func (l *loader) oldIgnored(full, value string, rules []string, cfg *Config) {
	for entry := range strings.SplitSeq(value, ",") {
		entry = strings.TrimSpace(entry)
		switch {
		case entry == "":
		case strings.Contains(entry, ":"):
			l.warn(full, fmt.Sprintf("%q is about some objects only; write an entry of exemptions, with a reason and an end", entry))
		case rules != nil && !slices.Contains(rules, entry):
			l.warn(full, fmt.Sprintf("there is no rule %q; %s", entry, Suggest(entry, rules)))
		case !slices.Contains(cfg.Rules.Disabled, entry):
			cfg.Rules.Disabled = append(cfg.Rules.Disabled, entry)
		}
	}
}

func (l *loader) warn(key, text string) { l.warnings = append(l.warnings, Warning{key, text}) }
