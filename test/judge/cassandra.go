package judge

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/klauspost/compress/zstd"
)

// ReadCassandra reads a ledger on Cassandra, by the format of its tables alone. Nobody may
// write it meanwhile: it is not read at one moment. A ledger without a docket is an error.
func ReadCassandra(ctx context.Context, hosts []string, keyspace string) (Dump, error) {
	config := gocql.NewCluster(hosts...)
	config.Keyspace, config.Timeout, config.ConnectTimeout = keyspace, 10*time.Second, 10*time.Second
	session, err := config.CreateSession()
	if err != nil {
		return Dump{}, fmt.Errorf("open the ledger on %v: %w", hosts, err)
	}
	defer session.Close()
	unzip, err := zstd.NewReader(nil)
	if err != nil {
		return Dump{}, fmt.Errorf("decompress: %w", err)
	}
	defer unzip.Close()
	c := reader{session, unzip, Dump{Notices: map[string]Notice{}}}
	err = errors.Join(c.dockets(ctx), c.history(ctx), c.notices(ctx))
	if err == nil && len(c.dump.Dockets) == 0 {
		err = errors.New("it holds no docket, so nothing can be concluded from it")
	}
	if err != nil {
		return Dump{}, fmt.Errorf("read the ledger on %v: %w", hosts, err)
	}
	return c.dump, nil
}

type reader struct {
	*gocql.Session
	unzip *zstd.Decoder
	dump  Dump
}

func (c *reader) dockets(ctx context.Context) error {
	rows := c.Query("SELECT DISTINCT cluster, root, doc FROM dockets").IterContext(ctx)
	var cluster, root string
	var doc []byte
	for rows.Scan(&cluster, &root, &doc) {
		text, err := c.unzip.DecodeAll(doc, nil)
		var x Docket
		if err = errors.Join(err, json.Unmarshal(text, &x)); err != nil {
			return errors.Join(fmt.Errorf("docket %s/%s: %w", cluster, root, err), rows.Close())
		}
		c.dump.Dockets = append(c.dump.Dockets, x)
	}
	return rows.Close()
}

// history comes in the order of writing, over all dockets.
func (c *reader) history(ctx context.Context) error {
	type placed struct {
		place int64
		line  Line
	}
	var all []placed
	rows := c.Query("SELECT cluster, root, place, line FROM dockets").IterContext(ctx)
	var cluster, root string
	var place *int64 // null where a docket has no line
	var doc []byte
	for rows.Scan(&cluster, &root, &place, &doc) {
		if place == nil {
			continue
		}
		var x struct{ Entry Line }
		if err := json.Unmarshal(doc, &x); err != nil {
			return errors.Join(fmt.Errorf("a line of docket %s/%s: %w", cluster, root, err), rows.Close())
		}
		x.Entry.Root = root
		all = append(all, placed{*place, x.Entry})
	}
	slices.SortFunc(all, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	for _, p := range all {
		c.dump.History = append(c.dump.History, p.line)
	}
	return rows.Close()
}

func (c *reader) notices(ctx context.Context) error {
	rows := c.Query("SELECT key, value FROM records").IterContext(ctx)
	var key string
	var doc []byte
	for rows.Scan(&key, &doc) {
		if !strings.HasPrefix(key, "notice/") {
			continue
		}
		var x Notice
		if err := json.Unmarshal(doc, &x); err != nil {
			return errors.Join(fmt.Errorf("record %s: %w", key, err), rows.Close())
		}
		c.dump.Notices[key] = x
	}
	return rows.Close()
}
