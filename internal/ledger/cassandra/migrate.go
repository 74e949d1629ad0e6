package cassandra

import (
	"context"
	"errors"
	"fmt"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

const (
	holdFor  = 60 // seconds that one replica has for a step
	waitHold = 500 * time.Millisecond
)

// migrate brings the tables up to date, or checks that they are. Any number of replicas may
// do it at once: one holds the steps, the others wait for it.
func migrate(ctx context.Context, s Settings) error {
	admin, err := connect(s, "")
	if err != nil {
		return err
	}
	defer closed(admin, s.Timeout)
	m := migration{session: admin, settings: s, me: s.me}
	if m.me == (gocql.UUID{}) {
		m.me = gocql.MustRandomUUID()
	}
	if s.CreateSchema {
		err := m.run(ctx)
		if err != nil && unknownYet(err) { // while tables are made, that is a matter of time
			return fmt.Errorf("%w: %w", errAway, err)
		}
		return err
	}
	return m.check(ctx)
}

type migration struct {
	session  *gocql.Session
	settings Settings
	me       gocql.UUID
}

func (m migration) check(ctx context.Context) error {
	found, err := m.keyspace(ctx)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("cassandra has no keyspace %q, and ledger.cassandra.createSchema is false; run what \"k8guard ledger schema\" prints, with cqlsh, or write true",
			m.settings.Keyspace)
	}
	at, err := m.version(ctx)
	switch {
	case err != nil && Away(err):
		return fmt.Errorf("read the tables' format: %w", err)
	case err != nil: // nobody makes them by himself
		return fmt.Errorf("keyspace %q has no tables of K8Guard; run what \"k8guard ledger schema\" prints: %w", m.settings.Keyspace, err)
	}
	if at < len(steps()) {
		return fmt.Errorf("keyspace %q has format %d, and this K8Guard wants %d; run what \"k8guard ledger schema\" prints", m.settings.Keyspace, at, len(steps()))
	}
	return m.known(at)
}

func (m migration) known(at int) error {
	if at > len(steps()) {
		return fmt.Errorf("a newer K8Guard made keyspace %q (format %d, this one knows up to %d): run that version", m.settings.Keyspace, at, len(steps()))
	}
	return nil
}

func (m migration) run(ctx context.Context) error {
	if err := m.ground(ctx); err != nil {
		return err
	}
	for said := false; ; {
		var at int
		if err := told(ctx, func() (err error) { at, err = m.version(ctx); return err }); err != nil {
			return fmt.Errorf("read the tables' format: %w", err)
		}
		if at >= len(steps()) {
			return m.known(at)
		}
		taken, err := m.step(ctx, at)
		if err != nil {
			return err
		}
		if !taken && !said {
			said = true
			m.settings.Log.Info("another replica makes Cassandra's tables: it is waited for", "format", at+1)
		}
	}
}

// ground makes the keyspace and the table that says which steps were taken, if they are not there.
func (m migration) ground(ctx context.Context) error {
	found, err := m.keyspace(ctx)
	if err != nil {
		return err
	}
	if !found {
		if err := m.exec(ctx, keyspaceCQL(m.settings)); err != nil {
			return fmt.Errorf("make keyspace %q: %w", m.settings.Keyspace, err)
		}
	}
	if _, err := m.version(ctx); err == nil {
		return nil
	}
	if err := m.exec(ctx, in(m.settings.Keyspace, state)); err != nil {
		return fmt.Errorf("make the table of the tables' state: %w", err)
	}
	if _, err := m.cas(ctx, "INSERT INTO {keyspace}.schema_state (id, version, ledger) VALUES ('ledger', 0, uuid()) IF NOT EXISTS"); err != nil {
		return fmt.Errorf("say which ledger this is: %w", err)
	}
	return nil
}

// step takes the step from at, or waits a moment for the replica that does.
func (m migration) step(ctx context.Context, at int) (taken bool, err error) {
	held, err := m.hold(ctx, at)
	if err != nil {
		return false, fmt.Errorf("ask for the step to format %d: %w", at+1, err)
	}
	if !held {
		select {
		case <-ctx.Done():
			return false, fmt.Errorf("wait for another replica that makes the tables: %w", ctx.Err())
		case <-time.After(waitHold):
			return false, nil
		}
	}
	var of gocql.UUID
	if err := told(ctx, func() (err error) { of, err = m.ledger(ctx); return err }); err != nil {
		return false, fmt.Errorf("read which ledger this is: %w", err)
	}
	for _, statement := range steps()[at] {
		if err := m.exec(ctx, in(m.settings.Keyspace, withID(statement, of))); err != nil {
			m.letGo(ctx)
			return false, fmt.Errorf("make the tables of format %d: %w", at+1, err)
		}
	}
	// A holder that took longer than its minute may find that another was faster: they made the same.
	_, err = m.cas(ctx, "UPDATE {keyspace}.schema_state SET version = ?, holder = null WHERE id = 'ledger' IF version = ?", at+1, at)
	return true, err
}

// letGo gives a step back that could not be carried out: another replica may be luckier.
func (m migration) letGo(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.settings.Timeout)
	defer cancel()
	_, _ = m.cas(ctx, "UPDATE {keyspace}.schema_state SET holder = null WHERE id = 'ledger' IF holder = ?", m.me) // else its minute ends
}

// hold asks for the step from at. Who is told that he is the holder already was not told
// the first time.
func (m migration) hold(ctx context.Context, at int) (bool, error) {
	ask := fmt.Sprintf("UPDATE {keyspace}.schema_state USING TTL %d SET holder = ? WHERE id = 'ledger' IF version = ? AND holder = ", holdFor)
	now, err := m.cas(ctx, ask+"null", m.me, at)
	switch {
	case err != nil || now == nil:
		return err == nil, err
	case now["holder"] == m.me:
		now, err = m.cas(ctx, ask+"?", m.me, at, m.me) // with a minute from now on
		return now == nil && err == nil, err
	case now["holder"] == gocql.UUID{} && now["version"] == at:
		return false, fmt.Errorf("its version is not written: finish what \"k8guard ledger schema\" prints")
	}
	return false, nil
}

func (m migration) keyspace(ctx context.Context) (bool, error) {
	var name string
	err := m.session.Query("SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?", m.settings.Keyspace).
		Consistency(gocql.One).ScanContext(ctx, &name)
	if errors.Is(err, gocql.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for keyspace %q: %w", m.settings.Keyspace, err)
	}
	return true, nil
}

// ledger is which one this is.
func (m migration) ledger(ctx context.Context) (id gocql.UUID, err error) {
	err = m.session.Query(in(m.settings.Keyspace, "SELECT ledger FROM {keyspace}.schema_state WHERE id = 'ledger'")).
		Consistency(gocql.LocalSerial).ScanContext(ctx, &id)
	return id, err
}

func (m migration) version(ctx context.Context) (at int, err error) {
	err = m.session.Query(in(m.settings.Keyspace, "SELECT version FROM {keyspace}.schema_state WHERE id = 'ledger'")).
		Consistency(gocql.LocalSerial).ScanContext(ctx, &at)
	return at, err
}

// exec changes the schema, and waits until all nodes know.
func (m migration) exec(ctx context.Context, statement string) error {
	if err := told(ctx, func() error { return m.session.Query(statement).ExecContext(ctx) }); err != nil {
		return err
	}
	return m.agree(ctx)
}

// agree waits until all nodes know the same tables. A node that is down knows what it knew: it is
// waited for as for one that does not answer.
func (m migration) agree(ctx context.Context) error {
	if err := m.session.AwaitSchemaAgreement(ctx); err != nil {
		return fmt.Errorf("not all nodes know the same tables: %w: %w", errAway, err)
	}
	return nil
}

// cas returns what stood in the way of a compare-and-set, or nil.
func (m migration) cas(ctx context.Context, statement string, values ...any) (now map[string]any, err error) {
	err = told(ctx, func() error {
		now = map[string]any{}
		applied, err := m.session.Query(in(m.settings.Keyspace, statement), values...).MapScanCASContext(ctx, now)
		if applied {
			now = nil
		}
		return err
	})
	return now, err
}

// told asks until there is an answer or a refusal, for as long as nodes may take to agree. What is
// asked may be asked twice: a proposal that met another's may have been taken or not, and who gives
// it up may hold a step that nobody takes. A node may not know yet what another has just made.
func told(ctx context.Context, ask func() error) error {
	for end := time.Now().Add(agreement); ; {
		err := ask()
		if err == nil || refused(err) && !unknownYet(err) || time.Now().After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(waitHold):
		}
	}
}
