package kafka

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/docket"
)

// oldest version of the wire that is read: the one before ours, so that services can be
// upgraded one after the other.
const oldest = max(v1.Version-1, 1)

// encode makes a record of a message: keyed so that compaction keeps the newest word on
// each root, and in its bucket's partition.
func encode(m v1.Message, topic string, partitions int32) (*kgo.Record, error) {
	key, err := keyOf(m)
	if err != nil {
		return nil, err
	}
	value, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", key, err)
	}
	if len(value) > maxMessage {
		return nil, fmt.Errorf("kafka: the message of %s has %d bytes, at most %d go over the bus", key, len(value), maxMessage)
	}
	return &kgo.Record{Topic: topic, Partition: partitionOf(m, partitions), Key: []byte(key), Value: value}, nil
}

func keyOf(m v1.Message) (string, error) {
	switch {
	case m.Wake != nil && m.Observation == nil && m.Inventory == nil:
		return "wake//" + cmp.Or(m.Wake.Docket, m.Wake.Notice, m.Wake.Box), nil
	case m.Observation != nil && m.Inventory == nil && m.Wake == nil:
		return m.Observation.Cluster.UID + "/" + m.Observation.Root.UID, nil
	case m.Inventory != nil && m.Observation == nil && m.Wake == nil:
		if b := m.Inventory.Bucket; b < 0 || b >= docket.Buckets {
			return "", fmt.Errorf("kafka: an inventory of bucket %d, there are 0 to %d", b, docket.Buckets-1)
		}
		return m.Inventory.Cluster.UID + "//" + strconv.Itoa(m.Inventory.Bucket), nil
	}
	return "", errors.New("kafka: a message is one observation, one inventory or one wake")
}

// partitionOf is for messages that have a key: their bucket is one of the 1,024.
func partitionOf(m v1.Message, partitions int32) int32 {
	return int32(bus.Bucket(m)) % partitions //nolint:gosec // a bucket is less than 1,024
}

func versionOf(m v1.Message) int {
	switch {
	case m.Observation != nil:
		return m.Observation.V
	case m.Wake != nil:
		return m.Wake.V
	}
	return m.Inventory.V
}

// parse reads a message, wherever it was.
func parse(value []byte) (v1.Message, error) {
	var m v1.Message
	if err := json.Unmarshal(value, &m); err != nil {
		return m, fmt.Errorf("not JSON of a message: %w", err)
	}
	if _, err := keyOf(m); err != nil {
		return m, err
	}
	if err := bounded(m); err != nil {
		return m, err
	}
	if version := versionOf(m); version < oldest || version > v1.Version {
		return m, fmt.Errorf("version %d of the wire, this K8Guard reads %d to %d: run one that knows it, then replay", version, oldest, v1.Version)
	}
	return m, nil
}

// maxUID and maxName bound what names a cluster or a root, in bytes: a UID has 36, a name 253.
const maxUID, maxName = 64, 253

// bounded refuses names that no Kubernetes gives: records of the ledger are called by them.
func bounded(m v1.Message) error {
	var cluster v1.Cluster
	root := ""
	switch {
	case m.Observation != nil:
		cluster, root = m.Observation.Cluster, m.Observation.Root.UID
	case m.Inventory != nil:
		cluster = m.Inventory.Cluster
	}
	if len(cluster.UID) > maxUID || len(root) > maxUID || len(cluster.Name) > maxName {
		return fmt.Errorf("a cluster called by %d and %d bytes, a root by %d: more than %d of a UID and %d of a name", len(cluster.Name), len(cluster.UID), len(root), maxUID, maxName)
	}
	return nil
}

// decode reads a record. Its error is the reason for which it is a dead letter.
func decode(r *kgo.Record, partitions int32) (v1.Message, error) {
	m, err := parse(r.Value)
	if err != nil {
		return m, err
	}
	key, err := keyOf(m)
	if err != nil {
		return m, err
	}
	if key != string(r.Key) {
		return m, fmt.Errorf("the key %q is not that of what it says, %q", r.Key, key)
	}
	// In another partition it would be handled beside its bucket's other messages.
	if want := partitionOf(m, partitions); r.Partition != want {
		return m, fmt.Errorf("in partition %d, its bucket's is %d of %d", r.Partition, want, partitions)
	}
	return m, nil
}

// request is one root that action wants to hear of again.
type request struct {
	V       int    `json:"v"`
	Cluster string `json:"cluster"`
	Root    string `json:"root"`
}

func encodeRequest(key docket.Key, topic string) (*kgo.Record, error) {
	value, err := json.Marshal(request{V: v1.Version, Cluster: key.Cluster, Root: key.Root})
	if err != nil {
		return nil, fmt.Errorf("encode a request: %w", err)
	}
	return &kgo.Record{Topic: topic, Value: value}, nil
}

// decodeRequest is false for what is no request: it is dropped, since an inventory raises
// the true ones again.
func decodeRequest(r *kgo.Record) (docket.Key, bool) {
	var q request
	err := json.Unmarshal(r.Value, &q)
	ok := err == nil && q.V >= oldest && q.V <= v1.Version && q.Root != ""
	return docket.Key{Cluster: q.Cluster, Root: q.Root}, ok
}
