package kafka

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/time/rate"

	"github.com/k8guard/k8guard/internal/bus"
)

const (
	// maxFirst bounds a message of a first K8Guard, in bytes: one object's violations.
	maxFirst = 1 << 20
	// hintsPerSecond bounds what a stranger's flood can cost; the rest waits in Kafka.
	hintsPerSecond = 100
	// firstPoll bounds the hints in hand.
	firstPoll = 100
	// maxStray is how much of what nobody can read is kept, in bytes, strayEvery how soon the next
	// is after strays of them: a stranger's junk shall not push our own dead letters out.
	maxStray   = 4 << 10
	strays     = 20
	strayEvery = time.Minute
)

// firstMessage is what a first K8Guard put on its action topic: {"kind": "deployment", "data":
// {"Name": …, "Namespace": …, "Cluster": …, "Violations": […]}}. Its violations are not read:
// who is told to look again sees for himself. The data alone, without a kind, is taken too.
type firstMessage struct {
	Kind string
	Data *firstObject
	firstObject
}

type firstObject struct{ Name, Namespace, Cluster string }

// firstKinds are the kinds that it knew; test says nothing.
func firstKinds() []string {
	return []string{"", "namespace", "deployment", "daemonset", "pod", "job", "cronjob", "ingress", "test"}
}

// decodeFirst reads a message of a first K8Guard. Its error is the reason for which it is a dead letter.
func decodeFirst(value []byte) (bus.Hint, error) {
	if len(value) > maxFirst {
		return bus.Hint{}, fmt.Errorf("%d bytes, a first K8Guard's message has %d at most", len(value), maxFirst)
	}
	var m firstMessage
	if err := json.Unmarshal(value, &m); err != nil {
		return bus.Hint{}, fmt.Errorf("not JSON of a first K8Guard's message: %w", err)
	}
	if m.Data == nil {
		m.Data = &m.firstObject
	}
	h := bus.Hint{Cluster: m.Data.Cluster, Kind: m.Kind, Namespace: m.Data.Namespace, Name: m.Data.Name}
	switch {
	case !slices.Contains(firstKinds(), h.Kind):
		return h, fmt.Errorf("kind %q, which no first K8Guard knew", h.Kind[:min(len(h.Kind), maxUID)])
	case h.Kind == "test":
		return bus.Hint{Kind: h.Kind}, nil
	case h.Name == "":
		return h, errors.New("no object is named")
	case len(h.Name) > maxName || len(h.Namespace) > maxName || len(h.Cluster) > maxName:
		return h, fmt.Errorf("a name of more than %d bytes, which no Kubernetes gives", maxName)
	}
	return h, nil
}

// First reads the topic of a first K8Guard.
type First struct {
	s     Settings
	topic string
	limit *rate.Limiter
	stray *rate.Limiter
	// left is how many were not kept since the last that was.
	left int
}

// NewFirst reads topic once Read runs. It makes no topic, and needs none to be there.
func NewFirst(s Settings, topic string) (*First, error) {
	s, err := s.complete()
	if err != nil {
		return nil, err
	}
	if topic == "" {
		return nil, errors.New("kafka: no topic of a first K8Guard is set")
	}
	return &First{s: s, topic: topic, limit: rate.NewLimiter(hintsPerSecond, hintsPerSecond),
		stray: rate.NewLimiter(rate.Every(strayEvery), strays)}, nil
}

// Read hands over each hint until ctx ends, then returns nil. What nobody can read is put
// among the dead letters, cut; of much of it only some, and how many were left out. A message
// is committed after either; a group that is new begins at the end, for whoever starts to watch
// judges everything anyway.
func (f *First) Read(ctx context.Context, hand func(context.Context, bus.Hint) error) error {
	client, err := f.s.client(kgo.ConsumerGroup(f.group()), kgo.ConsumeTopics(f.topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), kgo.AutoCommitMarks(), kgo.AutoCommitInterval(commitEvery),
		kgo.SessionTimeout(session), kgo.HeartbeatInterval(heartbeat))
	if err != nil {
		return err
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollRecords(ctx, firstPoll)
		for _, r := range fetches.Records() {
			if !f.settle(ctx, client, r, hand) {
				break
			}
			client.MarkCommitRecords(r)
		}
		pauseOn(ctx, f.s.Log, fetches)
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), finishWithin)
	defer cancel()
	if err := client.CommitMarkedOffsets(last); err != nil {
		f.s.Log.Warn("the last commit failed: some hints come again", "error", err)
	}
	return nil
}

// group is of this cluster's discover alone: those of other clusters hear the same topic.
func (f *First) group() string { return f.s.Prefix + ".first." + f.s.Cluster }

// settle hands a record over or buries it; false when ctx ended before that.
func (f *First) settle(ctx context.Context, client *kgo.Client, r *kgo.Record, hand func(context.Context, bus.Hint) error) bool {
	if f.limit.Wait(ctx) != nil {
		return false
	}
	hint, reason := decodeFirst(r.Value)
	if reason == nil {
		return hint.Kind == "test" || hand(ctx, hint) == nil
	}
	if !f.stray.Allow() {
		f.left++
		return true
	}
	if f.left > 0 {
		reason = fmt.Errorf("%w (%d before it were not kept)", reason, f.left)
	}
	letter := *r
	letter.Key, letter.Value = r.Key[:min(len(r.Key), maxName)], r.Value[:min(len(r.Value), maxStray)]
	for f.s.bury(ctx, client, &letter, reason) != nil {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(afterError):
		}
	}
	f.left = 0
	return true
}
