package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// position is one connection of the readers' that is asked for nothing else: SQLite tells each
// connection by a number whether others have written.
type position struct {
	mu   sync.Mutex
	conn *sql.Conn
	life int // how many connections there were
}

// Position names the state of the file for this process: as long as it is the same, so are all
// answers. Two processes, or two ledgers, give one state different names.
func (l *Ledger) Position(ctx context.Context) (string, error) {
	p := &l.position
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		conn, err := l.read.Conn(ctx)
		if err != nil {
			return "", fmt.Errorf("ask for the ledger's position: %w", err)
		}
		p.conn = conn
		p.life++
	}
	var n int64
	if err := p.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&n); err != nil {
		_ = p.conn.Close()
		p.conn = nil
		return "", fmt.Errorf("ask for the ledger's position: %w", err)
	}
	return fmt.Sprintf("%p/%d/%d", l, p.life, n), nil
}

// close gives the connection back; there may be none.
func (p *position) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return nil
	}
	err := p.conn.Close()
	p.conn = nil
	return err
}
