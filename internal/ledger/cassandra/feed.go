package cassandra

import (
	"context"
	"hash/fnv"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"golang.org/x/sync/errgroup"

	"github.com/k8guard/k8guard/internal/docket"
)

// skew is how far the clocks of two writers may lie apart.
const skew = 30 * time.Second

// tell says in the feed that a docket is about to have a state with this stamp.
func (s *Store) tell(ctx context.Context, k docket.Key, stamp int64) error {
	id := gocql.UUIDFromTime(s.now())
	return s.write(ctx, "INSERT INTO changes (hour, shard, id, cluster, root, stamp) VALUES (?, ?, ?, ?, ?, ?)",
		hourOf(id.Time()), shardOf(k), id, k.Cluster, k.Root, stamp)
}

func hourOf(t time.Time) int64 { return t.Unix() / 3600 }

func shardOf(k docket.Key) int {
	h := fnv.New32()
	_, _ = h.Write([]byte(k.String()))
	return int(h.Sum32() % shards)
}

// told reads the feed since then: of each docket the highest stamp.
func (s *Store) told(ctx context.Context, since time.Time) (map[docket.Key]int64, error) {
	until := hourOf(s.now().Add(skew))
	parts := make([]map[docket.Key]int64, int(until-hourOf(since)+1)*shards)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i := range parts {
		group.Go(func() (err error) {
			parts[i], err = s.toldBy(ctx, hourOf(since)+int64(i/shards), i%shards, since)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := map[docket.Key]int64{}
	for _, part := range parts {
		for k, stamp := range part {
			all[k] = max(all[k], stamp)
		}
	}
	return all, nil
}

func (s *Store) toldBy(ctx context.Context, hour int64, shard int, since time.Time) (map[docket.Key]int64, error) {
	rows := s.read("SELECT cluster, root, stamp FROM changes WHERE hour = ? AND shard = ? AND id >= minTimeuuid(?)", hour, shard, since).
		IterContext(ctx)
	found := map[docket.Key]int64{}
	for k, stamp := (docket.Key{}), int64(0); rows.Scan(&k.Cluster, &k.Root, &stamp); {
		found[k] = max(found[k], stamp)
	}
	return found, rows.Close()
}
