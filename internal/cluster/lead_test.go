package cluster

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
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
	terms, over := make(chan term, 16), make(chan string, 16)
	start := func(name string) (stop func()) {
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		c := Candidate{Client: client, Namespace: "k8guard", Holder: name, Now: time.Now, Log: slog.New(slog.DiscardHandler), Lease: time.Second}
		go func() {
			ended <- c.Lead(ctx, func(ctx context.Context, epoch int64) error {
				terms <- term{name, epoch}
				<-ctx.Done()
				over <- name
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
	for second.who == "a" { // it was slow to renew
		second = next()
	}
	if first.who != "a" || second.who != "b" || second.epoch <= first.epoch {
		t.Errorf("first %+v, then %+v", first, second)
	}
	// No renewal gets through for a while, as after a long pause: b is deposed, and leads again
	// under a later epoch.
	for len(over) > 0 { // of terms before
		<-over
	}
	refuse.Store(true)
	for who := range over {
		if who == "b" {
			break
		}
	}
	refuse.Store(false)
	third := next()
	if third.who != "b" || third.epoch <= second.epoch {
		t.Errorf("after the pause leads %+v, before it %+v", third, second)
	}
	stopB()
}

// leading is a Lease in a cluster whose API server compares versions, as the fake one does not.
func leading(t *testing.T) *fake.Clientset {
	t.Helper()
	client := fake.NewClientset(&coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: "k8guard", Name: LeaseName, ResourceVersion: "1"}})
	var mu sync.Mutex
	version := 1
	client.PrependReactor("update", "leases", func(a k8stesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		lease := a.(k8stesting.UpdateAction).GetObject().(*coordinationv1.Lease).DeepCopy()
		if lease.ResourceVersion != strconv.Itoa(version) {
			return true, nil, apierrors.NewConflict(coordinationv1.Resource("leases"), LeaseName, errors.New("changed"))
		}
		version++
		lease.ResourceVersion = strconv.Itoa(version)
		return true, lease, client.Tracker().Update(coordinationv1.SchemeGroupVersion.WithResource("leases"), lease, "k8guard")
	})
	return client
}

// change writes the Lease, also when its holder writes it beside us.
func change(t *testing.T, client *fake.Clientset, f func(*coordinationv1.Lease)) *coordinationv1.Lease {
	t.Helper()
	leases := client.CoordinationV1().Leases("k8guard")
	for {
		lease, err := leases.Get(t.Context(), LeaseName, metav1.GetOptions{})
		if err == nil {
			f(lease)
			_, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{})
		}
		if err == nil {
			return lease
		}
		if !apierrors.IsConflict(err) {
			t.Fatal(err)
		}
	}
}

// A leader that was paused, while another led and ended well, finds the Lease in nobody's hands. It
// begins anew: under its old epoch nobody would hear it. While the other leads it lets go of nothing.
func TestWhoWasDeposedDoesNotLeadOnUnderItsOldEpoch(t *testing.T) {
	for name, other := range map[string]string{"the other has ended": "", "the other leads": "b-1"} {
		t.Run(name, func(t *testing.T) {
			client := leading(t)
			terms, over := make(chan int64, 9), make(chan int64, 9)
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			// Its renewals are tried for 40 s after one that failed.
			c := Candidate{Client: client, Namespace: "k8guard", Holder: "a", Now: time.Now, Log: slog.New(slog.DiscardHandler), Lease: time.Minute}
			go func() {
				ended <- c.Lead(ctx, func(ctx context.Context, epoch int64) error {
					terms <- epoch
					<-ctx.Done()
					over <- epoch
					return nil
				})
			}()
			first := <-terms
			later := first + 1_000_000
			lease := change(t, client, func(l *coordinationv1.Lease) {
				now := metav1.NowMicro()
				l.Spec.HolderIdentity, l.Spec.RenewTime, l.Spec.LeaseDurationSeconds = &other, &now, ptr.To(int32(1))
				l.Annotations = map[string]string{leaseEpoch: strconv.FormatInt(later, 10)}
			})
			select {
			case <-over:
			case <-time.After(30 * time.Second): // it looks each 7.5 s
				t.Fatal("it leads on under its old epoch")
			}
			if other == "" {
				select {
				case second := <-terms:
					if second <= later {
						t.Errorf("it leads under %d, the other under %d", second, later)
					}
				case <-time.After(30 * time.Second):
					t.Error("it does not lead again")
				}
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if got, err := client.CoordinationV1().Leases("k8guard").Get(t.Context(), LeaseName, metav1.GetOptions{}); err != nil ||
				other != "" && *got.Spec.HolderIdentity != *lease.Spec.HolderIdentity {
				t.Errorf("it let go of what is another's: %+v, %v", got.Spec, err)
			}
		})
	}
}

// A Lease that is deleted ends the term: made anew it knows of no epoch.
func TestATermEndsWithItsLease(t *testing.T) {
	client := leading(t)
	begun, over := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	c := Candidate{Client: client, Namespace: "k8guard", Holder: "a", Now: time.Now, Log: slog.New(slog.DiscardHandler), Lease: time.Minute}
	go func() {
		ended <- c.Lead(ctx, func(ctx context.Context, _ int64) error {
			close(begun)
			<-ctx.Done()
			close(over)
			cancel() // one term is enough
			return nil
		})
	}()
	<-begun
	if err := client.Tracker().Delete(coordinationv1.SchemeGroupVersion.WithResource("leases"), "k8guard", LeaseName); err != nil {
		t.Fatal(err)
	}
	select {
	case <-over:
	case <-time.After(30 * time.Second):
		t.Error("it leads on without a Lease")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// A Lease that was deleted or restored counts from the beginning: the epoch does not.
func TestAnEpochIsNotHeardAgainAfterALeaseWasReset(t *testing.T) {
	client := leading(t)
	now := time.Now()
	lead := func() (epoch int64) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		c := Candidate{Client: client, Namespace: "k8guard", Holder: "a", Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Lease: time.Second}
		if err := c.Lead(ctx, func(_ context.Context, n int64) error { epoch = n; cancel(); return nil }); err != nil {
			t.Fatal(err)
		}
		return epoch
	}
	first := lead()
	now = now.Add(-time.Hour) // the next replica's clock is behind
	second := lead()
	now = now.Add(2 * time.Hour)
	change(t, client, func(l *coordinationv1.Lease) { l.Annotations, l.Spec = nil, coordinationv1.LeaseSpec{} })
	third := lead()
	if first == 0 || second <= first || third <= second {
		t.Errorf("epochs %d, %d, and after the reset %d", first, second, third)
	}
}

// Who waits for something when it is deposed stands by again: that its time is over is no failure.
func TestWhoIsDeposedWhileItWaitsStandsByAgain(t *testing.T) {
	client := leading(t)
	var refuse atomic.Bool
	client.PrependReactor("update", "leases", func(k8stesting.Action) (bool, runtime.Object, error) {
		return refuse.Load(), nil, errors.New("the server is away")
	})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	terms, deposed, ended := make(chan int64, 16), make(chan struct{}, 16), make(chan error, 1)
	c := Candidate{Client: client, Namespace: "k8guard", Holder: "a", Now: time.Now, Log: slog.New(slog.DiscardHandler), Lease: time.Second}
	go func() {
		ended <- c.Lead(ctx, func(ctx context.Context, epoch int64) error {
			terms <- epoch
			<-ctx.Done() // it waits for an API server, as identify does
			deposed <- struct{}{}
			return ctx.Err()
		})
	}()
	for n := range 2 {
		select {
		case <-terms:
			refuse.Store(n == 0)
		case err := <-ended:
			t.Fatalf("it ended: %v", err)
		case <-time.After(20 * time.Second):
			t.Fatal("it does not lead")
		}
		if n == 0 { // no renewal gets through
			<-deposed
			refuse.Store(false)
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	// What fails in its own time does end it.
	broken := errors.New("broken")
	if err := c.Lead(t.Context(), func(context.Context, int64) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("its own failure: %v", err)
	}
}
