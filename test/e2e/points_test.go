package e2e

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/crash"
	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/stage"
)

// hits says at which passings of a point the process dies, one life after the other.
func hits(point string) []int {
	switch point {
	case crash.BeforeLedger, crash.AfterLedger:
		return []int{1, 12, 25} // an observation, another, an intent
	case crash.BeforeSend, crash.AfterSend:
		return []int{1, 2} // two sends of unknown outcome: as many as may be
	}
	return []int{1, 4}
}

func TestKill9AtEachPoint(t *testing.T) {
	var namespaces []string
	for i := range crash.Points() {
		namespaces = append(namespaces, fmt.Sprintf("point-%d", i))
	}
	s := newScene(t, namespaces)
	for i, point := range crash.Points() {
		from := time.Now()
		s.violate(namespaces[i], 5, 5)
		if point == crash.MidUndo || point == crash.AfterUndo {
			s.diesUndoing(point, namespaces[i])
		} else {
			s.diesAt(point)
		}
		t.Logf("%-14s %s", point, time.Since(from).Round(100*time.Millisecond))
	}
	acted, human := s.verdict()
	if acted != len(s.roots) || human != 0 {
		t.Errorf("%d of %d were acted on, %d left to a human; each kill left tries enough", acted, len(s.roots), human)
	}
}

// diesAt kills K8Guard at the point, life after life, and then lets it finish.
func (s *scene) diesAt(point string) {
	s.t.Helper()
	for i, n := range hits(point) {
		p := s.start(false, fmt.Sprintf("K8GUARD_CRASH_AT=%s:%d", point, n))
		if s.settled(p, time.Minute) {
			s.t.Errorf("%s was not passed %d times in life %d", point, n, i+1)
			s.hold(p.Terminate(40 * time.Second))
			return
		}
		if !p.Killed() {
			s.t.Fatalf("%s: K8Guard ended by itself: %s", point, p.LogTail())
		}
	}
	s.finish()
}

func (s *scene) finish() {
	s.t.Helper()
	p := s.start(true)
	if !s.settled(p, time.Minute) {
		s.t.Fatalf("K8Guard ended by itself: %s", p.LogTail())
	}
	s.hold(p.Terminate(40 * time.Second))
}

// diesUndoing lets K8Guard act, then kills it in the middle of an undo: of a deployment,
// and of an ingress. The next life must bring both back, without being asked again.
func (s *scene) diesUndoing(point, namespace string) {
	s.t.Helper()
	s.finish()
	for _, kind := range []string{"Deployment", "Ingress"} {
		p := s.start(true, "K8GUARD_CRASH_AT="+point)
		root := s.undo(p, namespace, kind)
		if !p.Killed() {
			s.t.Fatalf("%s was never reached: %s", point, p.LogTail())
		}
		s.undone(root)
		s.isBack(root)
	}
}

// undo asks for one, and returns which root it was and when the process has died of it.
func (s *scene) undo(p *stage.Process, namespace, kind string) judge.Root {
	s.t.Helper()
	d, err := judge.ReadLedger(s.t.Context(), s.LedgerFile())
	if err != nil {
		s.t.Fatal(err)
	}
	at := slices.IndexFunc(d.Dockets, func(x judge.Docket) bool {
		return x.Root.Namespace == namespace && x.Root.Kind == kind && x.Enforcement != nil && x.Enforcement.State == "done"
	})
	if at < 0 {
		s.t.Fatalf("no %s in %s was acted on", kind, namespace)
	}
	if out, err := s.Command(s.t.Context(), "undo", d.Dockets[at].Cases[0].ID, "--reason", "the test asks"); err == nil {
		s.t.Errorf("an undo that died says: %s", out)
	}
	select {
	case <-p.Done():
	case <-time.After(10 * time.Second):
	}
	return d.Dockets[at].Root
}

// undone waits until the next life has finished the undo.
func (s *scene) undone(root judge.Root) {
	s.t.Helper()
	p := s.start(true)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		d, err := judge.ReadLedger(s.t.Context(), s.LedgerFile())
		if err != nil {
			s.t.Fatal(err)
		}
		if slices.ContainsFunc(d.Dockets, func(x judge.Docket) bool {
			return x.Enforcement != nil && x.Enforcement.Target.UID == root.UID && x.Enforcement.State == "undone"
		}) {
			break
		}
		if time.Now().After(end) {
			s.t.Fatalf("the undo of %s was not finished: %s", root, p.LogTail())
		}
	}
	time.Sleep(time.Second) // time to act on it again, if it would
	s.hold(p.Terminate(40 * time.Second))
}

func (s *scene) isBack(root judge.Root) {
	s.t.Helper()
	for _, o := range s.objects(root.Namespace) {
		if o.Kind == root.Kind && o.Metadata.Name == root.Name && !o.stopped() && (o.Spec.Replicas == nil || *o.Spec.Replicas == 2) {
			return
		}
	}
	s.t.Errorf("%s is not back", root)
}
