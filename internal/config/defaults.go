package config

import (
	"os"
	"path/filepath"
	"time"
)

// Default returns the configuration of somebody who wrote nothing: it watches and tells,
// and never acts.
func Default() Config {
	return Config{
		Cluster:  Cluster{Namespace: "k8guard"},
		Data:     Data{Dir: dataDir(os.Getenv), Retention: 90 * 24 * time.Hour},
		Bus:      Bus{Kind: BusMemory, Kafka: Kafka{Prefix: "k8guard", Partitions: 12, Retention: 7 * 24 * time.Hour, CreateTopics: true}},
		Ledger:   Ledger{Kind: LedgerSQLite, Cassandra: Cassandra{Keyspace: "k8guard", Replication: 3, Timeout: 10 * time.Second, CreateSchema: true}},
		Cache:    Cache{Kind: CacheMemory, Expiry: 7 * 24 * time.Hour, Memcached: Memcached{Timeout: 200 * time.Millisecond}},
		Discover: Discover{Resync: 5 * time.Minute},
		Rules:    Rules{Privileged: Privileged{Root: "off"}, ImageSize: ImageSize{Limit: "5G"}},
		Owners:   Owners{EmailAnnotation: "team/email-ids", ChatAnnotation: "team/hipchat-ids"},
		Notify: Notify{Gather: time.Minute, Gap: time.Hour, Email: Email{Port: 587, TLS: "starttls"},
			Slack: Slack{BaseURL: "https://slack.com/api"}, HipChat: HipChat{TagOwners: true}},
		Enforce: Enforce{
			Mode: ModeSafe, MinimumAge: 24 * time.Hour, CoolOff: 24 * time.Hour, Permit: "k8guard-permit",
			Budget: Budget{Round: time.Minute, PerHour: 5, PerDay: 20, PerNamespace: 5, PerOwner: 10,
				PerRule: 10, Percent: 1, Floor: 1},
			Breaker: Breaker{UndosPerHour: 2, ClockSkew: 30 * time.Second, Errors: 5, SharePoints: 20, Stale: 15 * time.Minute},
		},
		Report: Report{Listen: "127.0.0.1:8686", Login: LoginNone},
		Log:    Log{Level: "info", Format: "text"},
	}
}

// DefaultLadder is the ladder of a policy that says nothing of its own.
func DefaultLadder() Ladder {
	return Ladder{Standing: time.Minute, Warnings: 3, Wait: 24 * time.Hour, LastWait: 24 * time.Hour}
}

// dataDir follows the XDG base directories, and falls back to the working folder.
func dataDir(getenv func(string) string) string {
	if dir := getenv("XDG_STATE_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "k8guard")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "k8guard")
	}
	return "./k8guard-data"
}
