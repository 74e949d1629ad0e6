package cluster

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
)

// term is one leadership, as its replica saw it.
type term struct {
	who   string
	epoch int64
}

func TestOneLeadsAndEpochsRise(t *testing.T) {
	client := fake.NewClientset(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "k8guard", Name: LeaseName}})
	var refuse atomic.Bool
	client.PrependReactor("update", "leases", func(k8stesting.Action) (bool, runtime.Object, error) {
		return refuse.Load(), nil, errors.New("the server is away")
	})
	terms := make(chan term, 16)
	start := func(name string) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		c := Candidate{Client: client, Namespace: "k8guard", Holder: name, Log: slog.New(slog.DiscardHandler), Lease: time.Second}
		go func() {
			ended <- c.Lead(ctx, func(ctx context.Context, epoch int64) error {
				terms <- term{name, epoch}
				<-ctx.Done()
				return nil
			})
		}()
		return func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	}
	next := func() term {
		select {
		case got := <-terms:
			return got
		case <-time.After(20 * time.Second):
			t.Fatal("nobody leads")
			return term{}
		}
	}
	stopA := start("a")
	first := next()
	stopB := start("b")
	stopA()
	second := next()
	if first.who != "a" || second.who != "b" || second.epoch <= first.epoch {
		t.Errorf("first %+v, then %+v", first, second)
	}
	// No renewal gets through for a while, as after a long pause: b is deposed, and leads again
	// under a later epoch.
	refuse.Store(true)
	time.Sleep(1500 * time.Millisecond)
	refuse.Store(false)
	third := next()
	if third.who != "b" || third.epoch <= second.epoch {
		t.Errorf("after the pause leads %+v, before it %+v", third, second)
	}
	stopB()
}
