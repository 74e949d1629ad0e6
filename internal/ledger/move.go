package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// The records of the ledger itself; they do not move with it as they are.
const (
	// IdentityKey names the record of the ledger's name, which a copy must not bear.
	IdentityKey = "ledger/identity"
	// MoveKey names the record of how the ledger was filled from another one.
	MoveKey = "ledger/move"
)

// Identity is the ledger's name and how often it was shown to a cluster, in its Lease: one that
// is another, or behind, tells nobody and does nothing until a person decides.
type Identity struct {
	ID  string `json:"id"`
	Seq int64  `json:"seq"`
}

// Move is how a ledger was filled.
type Move struct {
	From   string    `json:"from"`   // the identity of the ledger that was exported
	SHA256 string    `json:"sha256"` // of the file
	ID     string    `json:"id"`     // the identity that it got here
	At     time.Time `json:"at"`
	Done   time.Time `json:"done,omitzero"`
}

// ErrHalf says that a ledger is being filled, or that this was cut off.
var ErrHalf = errors.New("ledger: it is filled in part only")

// Whole returns ErrHalf for a ledger on which nobody may work yet.
func Whole(ctx context.Context, r Records) error {
	m, err := Read[Move](ctx, r, MoveKey)
	if err != nil {
		return err
	}
	if m.SHA256 != "" && m.Done.IsZero() {
		return fmt.Errorf("%w: the import that began at %s was not finished; run k8guard ledger import again with the same file, or begin with an empty ledger",
			ErrHalf, m.At.Format(time.RFC3339))
	}
	return nil
}

// Dossier is a docket with all that is kept of it, as it moves from one ledger to another.
type Dossier struct {
	Docket docket.Docket
	// Closed is since when nothing of it is open, in microseconds; 0 while anything is.
	Closed int64
	// Lines are its history, oldest first. Their number, Seq, is the back end's own.
	Lines []Placed
}

// Placed is a line at its place in the order of writing of all lines.
type Placed struct {
	Place int64
	Line  Line
}

// Source is a ledger that is read whole. Keys are sorted by their bytes.
type Source interface {
	DocketKeys(ctx context.Context) ([]docket.Key, error)
	// Dossier returns what is kept of a docket; its version is 0 if it has gone.
	Dossier(ctx context.Context, key docket.Key) (Dossier, error)
	RecordKeys(ctx context.Context) ([]string, error)
	Get(ctx context.Context, key string) (Record, error)
}

// Target is a ledger that is filled. Version and all are kept; what is there already is
// ErrConflict. Either all of an argument is stored or nothing that anyone sees.
type Target interface {
	Source
	Records
	Restore(ctx context.Context, all ...Dossier) error
	RestoreRecords(ctx context.Context, all ...Record) error
}
