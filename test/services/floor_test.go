package services

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// kafkaAlone produces the same bytes and consumes them, in a group, with a client that does
// nothing else.
func (f *flow) kafkaAlone(b *testing.B) {
	var records []*kgo.Record
	for root := range flowRoots {
		value, err := json.Marshal(observed(root, 0))
		must(b, err)
		records = append(records, &kgo.Record{Key: []byte(strconv.Itoa(root)), Value: value})
	}
	for b.Loop() {
		b.StopTimer()
		topic := fmt.Sprint("alone-", time.Now().UnixNano())
		client, err := kgo.NewClient(kgo.SeedBrokers(f.kafka.Addresses()...), kgo.DefaultProduceTopic(topic), kgo.ConsumeTopics(topic),
			kgo.ConsumerGroup(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.ProducerBatchCompression(kgo.ZstdCompression()))
		must(b, err)
		_, err = kadm.NewClient(client).CreateTopic(b.Context(), flowPartitions, 1, nil, topic)
		must(b, err)
		f.timed(b, func() {
			for _, r := range records {
				client.Produce(b.Context(), &kgo.Record{Key: r.Key, Value: r.Value}, func(_ *kgo.Record, err error) {
					if err != nil {
						b.Error(err)
					}
				})
			}
			for seen := 0; seen < flowRoots; {
				fetches := client.PollFetches(b.Context())
				must(b, fetches.Err())
				seen += fetches.NumRecords()
			}
		})
		client.Close()
		b.StartTimer()
	}
	f.measured(b, "kafka")
}

const atOnce = 64 // writes of the bare driver

// table is the rows that the flow left in one, as they are.
type table struct {
	name    string
	columns []string
	rows    [][]any
}

func (f *flow) session(b *testing.B) *gocql.Session {
	b.Helper()
	c := gocql.NewCluster(f.cassandra.Addresses()...)
	c.Timeout, c.ConnectTimeout, c.Logger = time.Minute, time.Minute, gocql.NewLogger(gocql.LogLevelNone)
	c.Consistency, c.SerialConsistency = gocql.LocalQuorum, gocql.LocalSerial
	s, err := c.CreateSession()
	must(b, err)
	b.Cleanup(s.Close)
	return s
}

// read takes a table's rows out of the keyspace through which the flow went.
func (f *flow) read(b *testing.B, s *gocql.Session, name string) table {
	b.Helper()
	t := table{name: name}
	rows := s.Query("SELECT * FROM " + f.keyspace + "." + name).PageSize(500).IterContext(b.Context())
	for _, c := range rows.Columns() {
		t.columns = append(t.columns, c.Name)
	}
	for row := map[string]any{}; rows.MapScan(row); row = map[string]any{} {
		var values []any
		for _, c := range t.columns {
			values = append(values, row[c])
		}
		t.rows = append(t.rows, values)
	}
	must(b, rows.Close())
	return t
}

// cassandraAlone writes the same rows again with the bare driver: each row one statement, or
// those of dockets on the condition that there is none.
func (f *flow) cassandraAlone(b *testing.B, name string) {
	s := f.session(b)
	var tables []table
	for _, name := range []string{"dockets", "open_dockets", "cases", "changes"} {
		tables = append(tables, f.read(b, s, name))
	}
	for b.Loop() {
		b.StopTimer()
		for _, t := range tables {
			must(b, s.Query("TRUNCATE "+f.keyspace+"."+t.name).ExecContext(b.Context()))
		}
		f.timed(b, func() {
			group, ctx := errgroup.WithContext(b.Context())
			group.SetLimit(atOnce)
			for _, t := range tables {
				insert := "INSERT INTO " + f.keyspace + "." + t.name + " (" + strings.Join(t.columns, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(t.columns)-1) + ")"
				conditional := t.name == "dockets" && strings.HasPrefix(name, "conditional")
				for _, row := range t.rows {
					group.Go(func() error {
						if conditional {
							_, err := s.Query(insert+" IF NOT EXISTS", row...).MapScanCASContext(ctx, map[string]any{})
							return err
						}
						return s.Query(insert, row...).ExecContext(ctx)
					})
				}
			}
			must(b, group.Wait())
		})
		b.StartTimer()
	}
	f.measured(b, name)
}

// resident is the memory that processes hold, in MB.
func resident(b *testing.B, pids []int) (mb float64) {
	b.Helper()
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		must(b, err)
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				kb, err := strconv.Atoi(strings.Fields(rest)[0])
				must(b, err)
				mb += float64(kb) / 1024
			}
		}
	}
	return mb
}

// busy is how long processors have worked for processes, in seconds.
func busy(b *testing.B, pids []int) (seconds float64) {
	b.Helper()
	const ticks = 100 // a second, on every Linux
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		must(b, err)
		fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		for _, field := range fields[11:13] { // in user and in system mode
			n, err := strconv.Atoi(field)
			must(b, err)
			seconds += float64(n) / ticks
		}
	}
	return seconds
}
