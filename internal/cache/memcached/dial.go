package memcached

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// dialer connects, and logs in where the servers want it.
type dialer struct{ settings Settings }

func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	var conn net.Conn
	var err error
	if d.settings.TLS == nil {
		conn, err = (&net.Dialer{}).DialContext(ctx, network, address)
	} else {
		conn, err = (&tls.Dialer{Config: d.settings.TLS}).DialContext(ctx, network, address)
	}
	if err != nil {
		return nil, err
	}
	if d.settings.Login != nil {
		if err := d.login(ctx, conn); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
	return &bounded{Conn: conn}, nil
}

// login says who we are: in Memcached's text protocol as the value of a first "set".
func (d *dialer) login(ctx context.Context, conn net.Conn) error {
	user, password, err := d.settings.Login()
	if err != nil {
		return err
	}
	if end, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(end); err != nil {
			return err
		}
	}
	secret := user + " " + password
	if _, err := fmt.Fprintf(conn, "set auth 0 0 %d\r\n%s\r\n", len(secret), secret); err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	// One line, after which nothing comes that was not asked for; a server that says more is refused below.
	answer, err := bufio.NewReaderSize(&bounded{Conn: conn}, maxLine).ReadSlice('\n')
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if said := strings.TrimSpace(string(answer)); said != "STORED" {
		return fmt.Errorf("log in: the server says %.60q; see cache.memcached.username and passwordFile", said)
	}
	return conn.SetDeadline(time.Time{})
}
