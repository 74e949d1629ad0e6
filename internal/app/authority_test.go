package app

import (
	"encoding/pem"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

func certified(by ...string) *rest.Config {
	c := &rest.Config{}
	for _, name := range by {
		c.CAData = append(c.CAData, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte(name)})...)
	}
	return c
}

// Two clusters of one identity are told apart by who certifies them, until a person says
// that they are one.
func TestACloneIsRefusedUntilAPersonNamesIt(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	in := &instance{store: store}
	named := ""
	ask := func(want string, by ...string) {
		t.Helper()
		err := in.authority(t.Context(), "u", named, certified(by...))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("by %q: %v, want %q", by, err, want)
		}
	}
	ask("")        // the system's authorities say nothing
	ask("", "old") // the first that is seen
	ask("may be a clone", "another")
	ask("may be a clone", "another") // it was not taken over by being asked
	ask("", "old", "new")            // a renewal
	ask("", "new")
	ask("may be a clone", "old")
	sums, err := fingerprints(certified("another"))
	if err != nil || len(sums) != 1 {
		t.Fatal(sums, err)
	}
	named = sums[0]
	ask("", "another")
	named = ""
	ask("", "another")
	ask("may be a clone", "new")
}
