package kafka_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/bus/bustest"
	"github.com/k8guard/k8guard/internal/bus/kafka"
)

const patience = time.Minute

func inventory(bucket, n int) v1.Message {
	return v1.Message{Inventory: &v1.Inventory{V: v1.Version, Cluster: v1.Cluster{UID: "c"}, Bucket: bucket, Judged: n}}
}

func publish(t *testing.T, p bus.Publisher, m v1.Message) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := p.Publish(ctx, m); err != nil {
		t.Fatal(err)
	}
}

// consume runs a consumer until the returned function is called.
func consume(t *testing.T, c bus.Consumer, handle bus.Handler) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- c.Consume(ctx, handle, bustest.Deaf{}) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func next[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatal("nothing came")
	}
	panic("unreachable")
}

func TestWhatNobodyCanReadIsADeadLetter(t *testing.T) {
	fake := fakeBroker(t)
	s := kafka.Settings{Brokers: fake.ListenAddrs(), Partitions: 4}
	p, c := open(t, s)
	raw, err := kgo.NewClient(kgo.SeedBrokers(s.Brokers...), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(raw.Close)
	text := func(change func(*v1.Inventory)) []byte {
		m := inventory(1, 0)
		change(m.Inventory)
		value, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
	poison := []struct {
		key, reason string
		partition   int32
		value       []byte
	}{
		{"k", "not JSON", 1, []byte("\x00{")},
		{"k", "one observation, one inventory or one wake", 1, []byte("{}")},
		{"c//1", "version 99 of the wire", 1, text(func(i *v1.Inventory) { i.V = 99 })},
		{"c//1", "version 0 of the wire", 1, text(func(i *v1.Inventory) { i.V = 0 })},
		{"c//1", "bucket -5", 1, text(func(i *v1.Inventory) { i.Bucket = -5 })},
		{"c//2", `the key "c//2"`, 1, text(func(*v1.Inventory) {})},
		{"c//1", "its bucket's is 1 of 4", 3, text(func(*v1.Inventory) {})},
		{"c//1", "more than 64 of a UID", 1, text(func(i *v1.Inventory) { i.Cluster.UID = strings.Repeat("u", 65) })},
	}
	for _, x := range poison {
		record := &kgo.Record{Topic: "k8guard.observations", Partition: x.partition, Key: []byte(x.key), Value: x.value}
		if err := raw.ProduceSync(t.Context(), record).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	publish(t, p, inventory(1, 7))
	got := make(chan v1.Message, 10)
	consume(t, c, func(_ context.Context, m v1.Message) error { got <- m; return nil })
	if m := next(t, got); m.Inventory.Judged != 7 {
		t.Errorf("handled %+v", m.Inventory)
	}
	letters := deadLetters(t, s.Brokers, len(poison))
	for _, x := range poison {
		found := false
		for _, l := range letters {
			found = found || (strings.Contains(header(l, kafka.HeaderReason), x.reason) && string(l.Value) == string(x.value) && string(l.Key) == x.key &&
				header(l, kafka.HeaderTopic) == "k8guard.observations" && header(l, kafka.HeaderPartition) == fmt.Sprint(x.partition) && header(l, kafka.HeaderOffset) != "")
		}
		if !found {
			t.Errorf("no dead letter says %q", x.reason)
		}
	}
	replayed(t, c, len(poison), got)
}

// replayed lists the letters and says them again: what was only in a wrong place is heard.
func replayed(t *testing.T, c *kafka.Consumer, n int, got <-chan v1.Message) {
	t.Helper()
	letters, err := c.Letters(t.Context(), 100)
	if err != nil || len(letters) != n {
		t.Fatalf("%d letters, %v, want %d", len(letters), err, n)
	}
	again := 0
	for _, l := range letters {
		partition, offset, err := kafka.ParseID(l.ID())
		if err != nil || partition != l.Partition || offset != l.Offset || l.Reason == "" || !strings.HasPrefix(l.From, "k8guard.observations/") {
			t.Errorf("letter %+v, %v", l, err)
		}
		misplaced := strings.HasPrefix(l.Reason, "in partition") || strings.HasPrefix(l.Reason, "the key")
		if err := c.Replay(t.Context(), l); (err == nil) != misplaced {
			t.Errorf("replay of %q: %v", l.Reason, err)
		} else if err == nil {
			again++
			next(t, got)
		}
	}
	if again != 2 {
		t.Errorf("%d letters were replayed, want 2", again)
	}
	for _, bad := range []string{"", "1", "1/", "-1/2", "1/2/3", "a/b", "01/2"} {
		if _, _, err := kafka.ParseID(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func header(r *kgo.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

func deadLetters(t *testing.T, brokers []string, n int) []*kgo.Record {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics("k8guard.deadletters"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var letters []*kgo.Record
	for len(letters) < n && ctx.Err() == nil {
		letters = append(letters, client.PollFetches(ctx).Records()...)
	}
	if len(letters) != n {
		t.Fatalf("%d dead letters, want %d", len(letters), n)
	}
	return letters
}

func TestHandlerThatFailsMakesNoDeadLetter(t *testing.T) {
	fake := fakeBroker(t)
	s := kafka.Settings{Brokers: fake.ListenAddrs(), Partitions: 1}
	p, c := open(t, s)
	publish(t, p, inventory(1, 0))
	tries := make(chan int, 100)
	n := 0
	stop := consume(t, c, func(context.Context, v1.Message) error {
		n++
		tries <- n
		return errors.New("the ledger is down")
	})
	for next(t, tries) < 4 {
	}
	stop()
	ends, err := admin(t, s.Brokers).ListEndOffsets(t.Context(), "k8guard.deadletters")
	if err != nil || ends.Error() != nil {
		t.Fatal(err, ends.Error())
	}
	if o, _ := ends.Lookup("k8guard.deadletters", 0); o.Offset != 0 {
		t.Errorf("%d dead letters", o.Offset)
	}
	committed, err := admin(t, s.Brokers).FetchOffsets(t.Context(), "k8guard.action")
	if err != nil {
		t.Fatal(err)
	}
	if o, ok := committed.Lookup("k8guard.observations", 0); ok && o.At > 0 {
		t.Errorf("committed up to %d what was never handled", o.At)
	}
}

// TestAPartitionThatIsTakenAwayFinishesItsMessage: the next member gets none of it before, and
// the first one all of it when the next has left.
func TestAPartitionThatIsTakenAwayFinishesItsMessage(t *testing.T) {
	fake := fakeBroker(t)
	s := kafka.Settings{Brokers: fake.ListenAddrs(), Partitions: 4}
	p, first := open(t, s)
	for n := range 3 {
		for bucket := range 4 {
			publish(t, p, inventory(bucket, n))
		}
	}
	inHand, release := make(chan int, 100), make(chan struct{})
	consume(t, first, func(ctx context.Context, m v1.Message) error {
		select {
		case inHand <- m.Inventory.Bucket:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	for range 4 {
		next(t, inHand)
	}
	_, second := open(t, s)
	taken := make(chan v1.Message, 100)
	leave := consume(t, second, func(_ context.Context, m v1.Message) error { taken <- m; return nil })
	select {
	case m := <-taken:
		t.Errorf("bucket %d was taken over while a message of it was in hand", m.Inventory.Bucket)
	case <-time.After(4 * heartbeat):
	}
	close(release)
	if m := next(t, taken); m.Inventory.Judged == 0 {
		t.Errorf("bucket %d: the message in hand came again", m.Inventory.Bucket)
	}
	leave()
	for len(inHand) > 0 { // what it had before
		<-inHand
	}
	seen := map[int]bool{}
	for end := time.Now().Add(patience); len(seen) < 4; {
		if time.Now().After(end) {
			t.Fatalf("the first member was given back only %v", seen)
		}
		for bucket := range 4 {
			publish(t, p, inventory(bucket, 9))
		}
		for range 4 {
			select {
			case bucket := <-inHand:
				seen[bucket] = true
			case <-time.After(20 * time.Millisecond):
			}
		}
	}
}

// heartbeat is how often a member hears that it must share.
const heartbeat = time.Second

// TestReplicasShareTheWork lets members of the group come and go while messages flow: each
// bucket's messages are handled in order, nothing is left out, and never two at once.
func TestReplicasShareTheWork(t *testing.T) {
	fake := fakeBroker(t)
	s := kafka.Settings{Brokers: fake.ListenAddrs(), Partitions: 8, Buffer: 100}
	p, first := open(t, s)
	const buckets, comers = 16, 4
	w := &witness{last: map[int]int{}, busy: map[int]bool{}, members: map[int]bool{}}
	consume(t, first, w.handle(t, 0))
	published, enough := make(chan int), make(chan struct{})
	go func() {
		n := 0
		defer func() { published <- n }()
		for {
			select {
			case <-enough:
				return
			case <-time.After(20 * time.Millisecond):
			}
			n++
			for bucket := range buckets {
				if err := p.Publish(t.Context(), inventory(bucket, n)); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	for comer := 1; comer <= comers; comer++ {
		_, c := open(t, s)
		leave := consume(t, c, w.handle(t, comer))
		w.await(t, func() bool { return w.members[comer] })
		if comer%2 == 1 {
			leave()
		}
	}
	close(enough)
	n := next(t, published)
	w.await(t, func() bool {
		for bucket := range buckets {
			if w.last[bucket] != n {
				return false
			}
		}
		return true
	})
	t.Logf("%d messages of each of %d buckets", n, buckets)
}

// witness sees what all members do.
type witness struct {
	mu      sync.Mutex
	last    map[int]int
	busy    map[int]bool
	members map[int]bool
}

func (w *witness) handle(t *testing.T, member int) bus.Handler {
	return func(_ context.Context, m v1.Message) error {
		b, n := m.Inventory.Bucket, m.Inventory.Judged
		w.mu.Lock()
		if w.busy[b] {
			t.Errorf("bucket %d: two at once", b)
		}
		if n > w.last[b]+1 {
			t.Errorf("bucket %d: %d came after %d", b, n, w.last[b])
		}
		w.busy[b], w.members[member] = true, true
		w.mu.Unlock()
		time.Sleep(8 * time.Millisecond) // so that a partition has a message in hand when it is taken away
		w.mu.Lock()
		defer w.mu.Unlock()
		w.busy[b], w.last[b] = false, max(w.last[b], n)
		return nil
	}
}

func (w *witness) await(t *testing.T, done func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		w.mu.Lock()
		ok := done()
		w.mu.Unlock()
		if ok {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("after %s: %v", patience, w.last)
		}
	}
}

func TestBytesAreBoundedToo(t *testing.T) {
	fake := fakeBroker(t)
	s := kafka.Settings{Brokers: fake.ListenAddrs(), Partitions: 1}
	p, _ := open(t, s)
	big := inventory(1, 0)
	big.Inventory.Kinds = []string{strings.Repeat("x", 5<<20)}
	if err := p.Publish(t.Context(), big); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a message of 5 MiB: %v", err)
	}
}
