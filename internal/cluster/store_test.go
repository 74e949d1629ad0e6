package cluster

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k8guard/k8guard/internal/entity"
)

type listener struct{ changes []string }

func (l *listener) Judge(entity.Entity) *Judgement { return &Judgement{} }
func (l *listener) StatusChanged(entity.Kind)      {}
func (l *listener) Changed(was, is *Record) {
	switch {
	case was == nil:
		l.changes = append(l.changes, "new "+is.UID)
	case is == nil:
		l.changes = append(l.changes, "gone "+was.UID)
	default:
		l.changes = append(l.changes, "changed "+is.UID)
	}
}

func pod(name, uid, version string) *corev1.Pod {
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, UID: types.UID(uid), ResourceVersion: version}}
}

func fresh() (*store, *listener) {
	l := &listener{}
	s := newStore(entity.Pod, Settings{Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	s.handler = l
	return s, l
}

func TestReplaceTellsTheDifferences(t *testing.T) {
	s, l := fresh()
	for _, p := range []*corev1.Pod{pod("a", "1", "1"), pod("b", "2", "1"), pod("c", "3", "1")} {
		if err := s.Add(p); err != nil {
			t.Fatal(err)
		}
	}
	l.changes = nil
	slimmed, err := s.Transformer()(pod("b", "2", "2"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := slimmed.(*Record); !ok {
		t.Fatalf("the transformer keeps %T", slimmed)
	}
	if err := s.Replace([]any{pod("a", "new", "3"), slimmed, pod("c", "3", "1")}, "3"); err != nil {
		t.Fatal(err)
	}
	slices.Sort(l.changes)
	if want := []string{"changed 2", "gone 1", "new new"}; !slices.Equal(l.changes, want) {
		t.Errorf("told %v, want %v", l.changes, want)
	}
	if !s.status().Complete {
		t.Error("not complete after a whole list")
	}
}

func TestAKindIsCompleteOnlyWhileItCanBeRead(t *testing.T) {
	s, _ := fresh()
	s.opened(true)
	if s.status().Complete {
		t.Error("complete before the list was whole")
	}
	if err := s.Replace(nil, "1"); err != nil {
		t.Fatal(err)
	}
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New("no"))
	from := time.Now()
	s.note(func() { s.openErr = s.opens.explain(from, "watch", "pods", forbidden) })
	s.note(func() { s.openErr = s.opens.explain(from.Add(settles), "watch", "pods", forbidden) })
	st := s.status()
	if st.Complete || !st.Listed || !strings.Contains(st.Err.Error(), "may not watch pods; grant list and watch on pods") {
		t.Errorf("status %+v", st)
	}
	s.opened(true)
	if s.status().Complete {
		t.Error("complete when a stream opened again, before its list was whole")
	}
	if err := s.Replace(nil, "2"); err != nil {
		t.Fatal(err)
	}
	if !s.status().Complete {
		t.Error("not complete after the recovery")
	}
}

// A pod that is being deleted runs on for its grace period, which a tenant chooses: only
// its end, or its absence, makes it harmless.
func TestAPodIsOverOnlyWhenItHasEnded(t *testing.T) {
	s, _ := fresh()
	deleted := metav1.Now()
	for name, c := range map[string]struct {
		deleted *metav1.Time
		phase   corev1.PodPhase
		over    bool
	}{
		"runs":                     {nil, corev1.PodRunning, false},
		"is being deleted":         {&deleted, corev1.PodRunning, false},
		"ended":                    {nil, corev1.PodSucceeded, true},
		"ended, is being deleted":  {&deleted, corev1.PodFailed, true},
		"waits, is being deleted":  {&deleted, corev1.PodPending, false},
		"failed, nobody cleans up": {nil, corev1.PodFailed, true},
	} {
		p := pod("a", "1", "1")
		p.DeletionTimestamp, p.Status.Phase = c.deleted, c.phase
		if r, err := s.record(p); err != nil || r.Over != c.over {
			t.Errorf("%s: over %v, want %v (%v)", name, r.Over, c.over, err)
		}
	}
}
