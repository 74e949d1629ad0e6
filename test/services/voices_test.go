package services

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/k8guard/k8guard/tools/services"
)

// again marks what the test says, so that it does not repeat itself.
const again = "test-again"

// said is what came over the bus that no discover said.
type said struct {
	again, poison int
	places        map[string]bool // of the poison, PARTITION/OFFSET
}

// voices repeat what discover says, and say what nobody can read.
type voices struct {
	h      *house
	client *kgo.Client
	dice   *rand.Rand
	stop   context.CancelFunc
	end    func() said // once
	done   sync.WaitGroup
	mu     sync.Mutex // guards said
	said   said
}

// mislead reads the observations and says each twice more, out of order over all roots, and
// one poison for each hundred.
func (h *house) mislead(kafka *services.Service, seed int64) *voices {
	h.t.Helper()
	topic := h.Config.Bus.Kafka.Prefix + ".observations"
	client, err := kgo.NewClient(kgo.SeedBrokers(kafka.Addresses()...), kgo.ConsumeTopics(topic), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.MetadataMinAge(200*time.Millisecond))
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(h.t.Context())
	v := &voices{h: h, client: client, dice: rand.New(rand.NewPCG(uint64(seed), 2)), stop: cancel, said: said{places: map[string]bool{}}}
	v.end = sync.OnceValue(v.finish)
	v.done.Go(func() { v.speak(ctx) })
	h.t.Cleanup(func() { v.end() })
	return v
}

// finish returns what was said, and poison that Kafka did not take is not among it.
func (v *voices) finish() said {
	v.stop()
	v.done.Wait()
	// What is under way counts when Kafka has it.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := v.client.Flush(ctx); err != nil {
		v.h.t.Errorf("the last words: %v", err)
	}
	v.client.Close()
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.said
}

func (v *voices) speak(ctx context.Context) {
	var heap []*kgo.Record
	heard := 0
	for ctx.Err() == nil {
		poll, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		fetched := v.client.PollFetches(poll)
		cancel()
		fetched.EachRecord(func(r *kgo.Record) {
			if len(r.Headers) > 0 {
				return
			}
			heap = append(heap, r, r)
			if heard++; heard%100 == 1 {
				v.poison(ctx, r, heard/100)
			}
		})
		v.dice.Shuffle(len(heap), func(i, j int) { heap[i], heap[j] = heap[j], heap[i] })
		now := len(heap) * 3 / 4 // the rest comes later still
		if len(heap) < 8 {
			now = len(heap)
		}
		for _, r := range heap[:now] {
			v.client.Produce(context.WithoutCancel(ctx), &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value,
				Headers: []kgo.RecordHeader{{Key: again}}}, func(_ *kgo.Record, err error) { v.count(&v.said.again, err) })
		}
		heap = heap[now:]
	}
}

func (v *voices) count(what *int, err error) {
	if err == nil {
		v.mu.Lock()
		*what++
		v.mu.Unlock()
	}
}

// poison is one of what nobody can read, made of what somebody said.
func (v *voices) poison(ctx context.Context, r *kgo.Record, n int) {
	bad := &kgo.Record{Topic: r.Topic, Partition: r.Partition, Key: r.Key, Value: r.Value, Headers: []kgo.RecordHeader{{Key: again}}}
	switch n % 5 {
	case 0:
		bad.Value = []byte("{")
	case 1:
		bad.Value = []byte("\x00\xff<script>\x1b[2J")
	case 2:
		bad.Key = []byte("another/root")
	case 3:
		bad.Partition = (r.Partition + 1) % int32(v.h.Config.Bus.Kafka.Partitions)
	case 4:
		bad.Value = []byte(strings.Replace(string(r.Value), `"v":1`, `"v":99`, 1))
	}
	v.client.Produce(context.WithoutCancel(ctx), bad, func(r *kgo.Record, err error) {
		v.count(&v.said.poison, err)
		if err == nil {
			v.mu.Lock()
			v.said.places[fmt.Sprintf("%d/%d", r.Partition, r.Offset)] = true
			v.mu.Unlock()
		}
	})
}

// letter is one of those that nobody could read.
type letter struct{ From, Reason string }

// place is where it was, PARTITION/OFFSET.
func (h *house) place(l letter) string {
	return strings.TrimPrefix(l.From, h.Config.Bus.Kafka.Prefix+".observations/")
}

// letters lists the dead letters, and the poison that is not among them.
func (h *house) letters(s said) (letters []letter, missing []string) {
	h.t.Helper()
	out, err := h.Command(h.t.Context(), "deadletter", "list", "-o", "json")
	if err != nil {
		h.t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(out), &letters); err != nil {
		h.t.Fatalf("%v: %s", err, out)
	}
	for place := range s.places {
		if !slices.ContainsFunc(letters, func(l letter) bool { return h.place(l) == place }) {
			missing = append(missing, place)
		}
	}
	return letters, missing
}

// putAway holds the dead letters against the poison: all of it, nothing else, and it can be
// said again.
func (h *house) putAway(s said) {
	h.t.Helper()
	letters, missing := h.letters(s)
	if len(missing) > 0 {
		h.t.Errorf("the poison at %v is not among %d dead letters", missing, len(letters))
	}
	for _, l := range letters { // one that was not committed in time is put away again
		if !s.places[h.place(l)] {
			h.t.Errorf("a dead letter that is no poison: %+v", l)
		}
	}
	if s.poison == 0 || s.again == 0 {
		h.t.Errorf("%d poison and %d said again: nothing can be concluded", s.poison, s.again)
	}
	// What is no message at all stays where it is; a message under a wrong key or in a wrong place goes to its own.
	readable := 0
	for _, l := range letters {
		if strings.HasPrefix(l.Reason, "the key ") || strings.HasPrefix(l.Reason, "in partition ") {
			readable++
		}
	}
	if out, _ := h.Command(h.t.Context(), "deadletter", "replay", "--all"); strings.TrimSpace(out) != fmt.Sprintf("%d said again", readable) {
		h.t.Errorf("replay of %d, %d of them messages: %s", len(letters), readable, out)
	}
}
