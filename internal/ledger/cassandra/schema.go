package cassandra

import (
	"fmt"
	"strings"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/google/uuid"
)

const (
	// feedKept is how long the feed of changes is kept; a mirror that was away longer scans.
	feedKept = 72 * time.Hour
	shards   = 16 // of an hour of the feed
)

// state is the table that says which of the steps were taken, by whom they are being taken,
// and which ledger this is. Two replicas may make it at once: its ID is the same for both,
// for two tables of one name would lose the rows of one.
const state = `CREATE TABLE IF NOT EXISTS {keyspace}.schema_state (
  id      text PRIMARY KEY, -- 'ledger'
  version int,
  ledger  uuid,
  holder  uuid              -- who takes a step, for a minute
) WITH id = {id}`

// steps returns the statements of each version of the tables, from 1. What was released is
// never changed, for a table's ID follows from it.
func steps() [][]string {
	return [][]string{{
		`CREATE TABLE IF NOT EXISTS {keyspace}.dockets (
  cluster  text,
  root     text,
  version  bigint static,
  stamp    bigint static,                   -- raised at each change, and never starts again
  write_id uuid static,                     -- of the last write, or of what fenced one off
  writes   frozen<list<uuid>> static,       -- the last writes, newest first
  live     boolean static,
  closed   bigint static,                   -- since when nothing is open, microseconds, or 0 for open
  case_ids frozen<list<text>> static,
  doc      blob static,                     -- JSON, in Zstandard
  seq      bigint,                          -- version * 2^20 + its place in the change
  place    bigint,                          -- among the lines of all dockets
  line     blob,                            -- JSON
  PRIMARY KEY ((cluster, root), seq)
) WITH compaction = {'class': 'LeveledCompactionStrategy'}
  AND comment = 'Written by compare-and-set only.'`,
		`CREATE TABLE IF NOT EXISTS {keyspace}.records (
  key      text PRIMARY KEY,
  version  bigint,
  write_id uuid,
  writes   frozen<list<uuid>>,
  value    blob
) WITH compaction = {'class': 'LeveledCompactionStrategy'}
  AND comment = 'Written by compare-and-set only.'`,
		`CREATE TABLE IF NOT EXISTS {keyspace}.open_dockets (
  bucket  int,
  cluster text,
  root    text,
  stamp   bigint,
  PRIMARY KEY ((bucket), cluster, root)
) WITH compaction = {'class': 'LeveledCompactionStrategy'}`,
		`CREATE TABLE IF NOT EXISTS {keyspace}.cases (
  id      text PRIMARY KEY,
  cluster text,
  root    text
)`,
		fmt.Sprintf(`CREATE TABLE IF NOT EXISTS {keyspace}.changes (
  hour    bigint, -- since 1970
  shard   int,
  id      timeuuid,
  cluster text,
  root    text,
  stamp   bigint,
  PRIMARY KEY ((hour, shard), id)
) WITH default_time_to_live = %d
  AND compaction = {'class': 'TimeWindowCompactionStrategy', 'compaction_window_unit': 'HOURS', 'compaction_window_size': 4}`,
			int(feedKept.Seconds())),
	}}
}

// withID gives a table of a ledger an ID that two replicas give it alike, as they may make it at
// once: who took too long for a step, or asks a second node what the first did not answer. The
// next ledger's tables have others, so that what is left of one that was dropped never comes back.
func withID(statement string, of gocql.UUID) string {
	if !strings.HasPrefix(statement, "CREATE TABLE ") {
		return statement
	}
	word := " WITH"
	if strings.Contains(statement, ") WITH ") {
		word = "\n  AND"
	}
	return fmt.Sprintf("%s%s id = %s", statement, word, uuid.NewSHA1(uuid.UUID(of), []byte(statement)))
}

func keyspaceCQL(s Settings) string {
	return fmt.Sprintf("CREATE KEYSPACE IF NOT EXISTS %s WITH replication = {'class': 'NetworkTopologyStrategy', '%s': %d}",
		s.Keyspace, strings.ReplaceAll(s.LocalDC, "'", "''"), s.Replication)
}

// in puts the keyspace's name into a statement.
func in(keyspace, statement string) string {
	id := uuid.NewSHA1(uuid.NameSpaceDNS, []byte(keyspace+".schema_state.k8guard"))
	return strings.NewReplacer("{keyspace}", keyspace, "{id}", id.String()).Replace(statement)
}

// Schema is the CQL that makes the keyspace and its tables, for where K8Guard may not. To
// run it again does no harm.
func Schema(s Settings) string {
	all := []string{keyspaceCQL(s), in(s.Keyspace, state)}
	for _, step := range steps() {
		for _, statement := range step {
			all = append(all, in(s.Keyspace, statement))
		}
	}
	all = append(all,
		in(s.Keyspace, "INSERT INTO {keyspace}.schema_state (id, ledger) VALUES ('ledger', uuid()) IF NOT EXISTS"),
		in(s.Keyspace, fmt.Sprintf("UPDATE {keyspace}.schema_state SET version = %d WHERE id = 'ledger' IF EXISTS", len(steps()))))
	return strings.Join(all, ";\n\n") + ";\n"
}
