package cassandra

import (
	"errors"
	"fmt"
	"io"
	"testing"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

// What ends by itself is waited for, what a person has to mend is not.
func TestAway(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		away bool
	}{
		"killed with a question in hand": {fmt.Errorf("gocql: failed to read uncompressed frame, err: %w", io.EOF), true},
		"half an answer":                 {fmt.Errorf("read: %w", io.ErrUnexpectedEOF), true},
		"no control connection":          {errors.New("gocql: no control connection available"), true},
		"no heartbeat":                   {errors.New("gocql: heartbeat failed"), true},
		"not all nodes agree":            {fmt.Errorf("tables: %w", errAway), true},
		"the outcome is unknown":         {fmt.Errorf("ask: %w", &gocql.RequestErrCASWriteUnknown{}), true},
		"no host":                        {gocql.ErrNoConnections, true},
		"a table that was dropped":       {fmt.Errorf("open: %w", answered{gocql.ErrCodeInvalid, "table records does not exist"}), false},
		"no data center of that name":    {errors.New("ledger.cassandra.localDC: Cassandra has no data center"), false},
		"a newer format":                 {errors.New("a newer K8Guard made keyspace"), false},
	} {
		if got := Away(c.err); got != c.away {
			t.Errorf("%s: %v", name, got)
		}
	}
}
