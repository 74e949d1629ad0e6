package judge

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	_ "modernc.org/sqlite" // the file's format; nothing of the product
)

// Dump is what a ledger says. Field names match its JSON.
type Dump struct {
	Dockets []Docket
	History []Line
	Notices map[string]Notice // by key
}

// Docket is the part of a docket that judges look at.
type Docket struct {
	Key         struct{ Cluster, Root string }
	Root        Root
	Aliases     []string
	Cases       []Case
	Enforcement *Enforcement
	Refusal     *struct{ Rule int } // the gate's last no
}

// Root is an object that people own.
type Root struct{ Kind, Namespace, Name, UID string }

// Case is one violation's life.
type Case struct {
	ID, Rule, Source, State string
	Plan                    struct{ Reason, Text string }
	Notices                 []struct{ Key, Purpose, Owner, Result string }
}

// Enforcement is one recorded hard action.
type Enforcement struct {
	ID, Action, State, Settled string
	Target                     Root
	Cases                      []string
	Prior                      struct {
		ResourceVersion string
		Replicas        *int32
		Suspended       *bool
	}
	IntentAt time.Time
	Undo     *struct{ NewUID string }
}

// Line is one entry of the append-only history.
type Line struct {
	Root       string // the docket's
	At         time.Time
	Kind, Case string
	Data       map[string]string
}

// Notice is one digest with its fate.
type Notice struct {
	Key, State string
	Owner      struct {
		Emails   []string
		Platform bool
	}
	Digest struct {
		Cluster string
		At      time.Time
		Items   []struct{ Case, Purpose string }
	}
	Accepted []string
	LastTry  time.Time
}

// ReadLedger reads a SQLite ledger read-only. A ledger without a docket is an error.
func ReadLedger(ctx context.Context, path string) (Dump, error) {
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path,
		RawQuery: url.Values{"mode": {"ro"}, "_pragma": {"busy_timeout(10000)"}}.Encode()}).String())
	if err != nil {
		return Dump{}, fmt.Errorf("open the ledger %s: %w", path, err)
	}
	defer func() { _ = db.Close() }()
	tx, err := db.BeginTx(ctx, nil) // one moment for all three tables
	if err != nil {
		return Dump{}, fmt.Errorf("read the ledger %s: %w", path, err)
	}
	defer func() { _ = tx.Rollback() }()
	d := Dump{Notices: map[string]Notice{}}
	err = errors.Join(
		each(ctx, tx, "SELECT cluster, root, doc FROM dockets", func(_, _ string, doc []byte) error {
			var x Docket
			err := json.Unmarshal(doc, &x)
			d.Dockets = append(d.Dockets, x)
			return err
		}),
		each(ctx, tx, "SELECT cluster, root, doc FROM history ORDER BY seq", func(_, root string, doc []byte) error {
			var x struct{ Entry Line }
			err := json.Unmarshal(doc, &x)
			x.Entry.Root = root
			d.History = append(d.History, x.Entry)
			return err
		}),
		each(ctx, tx, "SELECT '', key, value FROM records WHERE key LIKE 'notice/%'", func(_, key string, doc []byte) error {
			var x Notice
			err := json.Unmarshal(doc, &x)
			d.Notices[key] = x
			return err
		}))
	if err == nil && len(d.Dockets) == 0 {
		err = errors.New("it holds no docket, so nothing can be concluded from it")
	}
	if err != nil {
		return Dump{}, fmt.Errorf("read the ledger %s: %w", path, err)
	}
	return d, nil
}

// Of is the part of one cluster. Notices tell of all clusters, and stay.
func (d Dump) Of(cluster string) Dump {
	part := Dump{Notices: d.Notices}
	roots := map[string]bool{}
	for _, x := range d.Dockets {
		if x.Key.Cluster == cluster {
			part.Dockets = append(part.Dockets, x)
			roots[x.Key.Root] = true
		}
	}
	for _, l := range d.History {
		if roots[l.Root] {
			part.History = append(part.History, l)
		}
	}
	return part
}

func each(ctx context.Context, tx *sql.Tx, query string, take func(a, b string, doc []byte) error) error {
	rows, err := tx.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var a, b string
		var doc []byte
		if err := rows.Scan(&a, &b, &doc); err != nil {
			return err
		}
		if err := take(a, b, doc); err != nil {
			return fmt.Errorf("%s %s: %w", a, b, err)
		}
	}
	return rows.Err()
}
