package cli

import (
	"strings"
	"testing"
)

func TestLedgerSchema(t *testing.T) {
	out, _, err := with(t, nil, "ledger", "schema", "--set", "ledger.cassandra.localDC=dc1", "--set", "ledger.cassandra.keyspace=guard")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"CREATE KEYSPACE IF NOT EXISTS guard WITH replication = {'class': 'NetworkTopologyStrategy', 'dc1': 3};",
		"CREATE TABLE IF NOT EXISTS guard.dockets (", "UPDATE guard.schema_state SET version = "} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in:\n%s", want, out)
		}
	}
	if strings.Contains(out, "{keyspace}") {
		t.Errorf("a name was not filled in:\n%s", out)
	}
	if _, _, err := with(t, nil, "ledger", "schema"); err == nil || !strings.Contains(err.Error(), "ledger.cassandra.localDC") {
		t.Errorf("without a data center: %v", err)
	}
}
