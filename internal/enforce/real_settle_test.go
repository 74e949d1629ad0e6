package enforce_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	autoscalingapply "k8s.io/client-go/applyconfigurations/autoscaling/v1"

	"github.com/k8guard/k8guard/internal/docket"
)

// dieBefore and dieAfter end a process at its first real write: before it is sent, or after
// the server has carried it out. Nothing that the process does later reaches anything.
func dieBefore(die func()) *wire {
	return &wire{before: func(r *http.Request) error {
		if !real(r) {
			return r.Context().Err()
		}
		die()
		return errCut
	}}
}

func dieAfter(die func()) *wire {
	return &wire{after: func(r *http.Request, answer *http.Response) (*http.Response, error) {
		if !real(r) {
			return answer, nil
		}
		die()
		return nil, errCut
	}}
}

// dies lets a process act until it dies at that point; its intent stays.
func (h *house) dies(at func(func()) *wire) docket.Docket {
	h.t.Helper()
	h.grant()
	ctx, die := context.WithCancel(h.t.Context())
	defer die()
	if err := h.process("dead", at(die)).Enforce(ctx, h.key, h.cases, h.policy); err == nil {
		h.t.Fatal("it did not die")
	}
	return h.wantState(docket.Intent)
}

// settle lets another process settle what is open.
func (h *house) settle(w *wire) {
	h.t.Helper()
	if err := h.process("second", w).Settle(h.t.Context(), h.key); err != nil {
		h.t.Fatal(err)
	}
}

// late sends the dead process's write: what a slow line may still deliver.
func (h *house) late(d docket.Docket) error {
	_, err := h.p.client.AppsV1().Deployments(h.ns).ApplyScale(ctxOf(h.t), "web", autoscalingapply.Scale().WithName("web").WithNamespace(h.ns).
		WithResourceVersion(d.Enforcement.Prior.ResourceVersion).WithSpec(autoscalingapply.ScaleSpec().WithReplicas(0)),
		metav1.ApplyOptions{FieldManager: "k8guard-" + d.Enforcement.ID, Force: true})
	return err
}

func settles() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"before-write": settleBefore, "after-write": settleAfter, "ingress-before": settleIngressBefore,
		"ingress-after": settleIngressAfter, "others-zero": settleOthersZero, "put-back": settlePutBack, "late-write": settleLateWrite,
		"before-read": settleBeforeRead, "unsent": settleUnsent, "ingress-unsent": settleIngressUnsent, "paused": settlePaused, "goes-on": settleGoesOn, "api-error": settleAPIError,
		"undo-before": settleUndoBefore, "undo-after": settleUndoAfter, "undo-ingress-after": settleUndoIngress,
	}
}

func settleBefore(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	dead := h.dies(dieBefore)
	h.settle(nil)
	h.wantRefused(7, "touched")
	h.wantReplicas(3)
	if err := h.late(dead); !apierrors.IsConflict(err) {
		t.Errorf("the late write: %v", err)
	}
	h.wantReplicas(3)
	h.wantWrites("patch deployments")
	h.settle(nil) // there is nothing left to settle
	h.wantWrites("patch deployments")
}

func settleAfter(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.dies(dieAfter)
	h.settle(nil)
	d := h.wantState(docket.Done)
	if d.Enforcement.Settled == "" || *d.Enforcement.Prior.Replicas != 3 || d.Cases[0].State != docket.Acted {
		t.Errorf("settled %q, prior %+v, case %s", d.Enforcement.Settled, d.Enforcement.Prior, d.Cases[0].State)
	}
	h.wantReplicas(0)
	h.wantWrites("patch deployments/scale")
	if _, err := h.process("second", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice"}); err != nil {
		t.Fatal(err)
	}
	h.wantReplicas(3)
}

func settleIngressBefore(t *testing.T, p *plane) {
	h := newHouse(t, p)
	before := h.expose()
	h.dies(dieBefore)
	h.settle(nil)
	h.wantRefused(7, "touched")
	err := p.client.NetworkingV1().Ingresses(h.ns).Delete(t.Context(), "web", metav1.DeleteOptions{
		Preconditions: &metav1.Preconditions{UID: &before.UID, ResourceVersion: &before.ResourceVersion}})
	if !apierrors.IsConflict(err) {
		t.Errorf("the late delete: %v", err)
	}
	h.wantWrites("patch ingresses")
}

func settleIngressAfter(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.expose()
	h.dies(dieAfter)
	h.settle(nil)
	if d := h.wantState(docket.Done); len(d.Enforcement.Prior.Manifest) == 0 {
		t.Error("no manifest to restore")
	}
	h.wantWrites("delete ingresses")
	if _, err := h.process("second", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice"}); err != nil {
		t.Fatal(err)
	}
	h.wantWrites("delete ingresses", "create ingresses")
}

// settleOthersZero: a person scaled to zero between intent and settlement. That is not ours,
// so it must not become an act that an undo would take back.
func settleOthersZero(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.dies(dieBefore)
	if _, err := p.cluster.Kubectl(t.Context(), "-n", h.ns, "scale", "deployment/web", "--replicas=0"); err != nil {
		t.Fatal(err)
	}
	h.settle(nil)
	h.wantUnclear()
	h.wantWrites()
}

// settlePutBack: the act took effect, its process died, and a person put it back before
// anybody settled it. That was the root's one enforcement: a second one must not follow.
func settlePutBack(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.dies(dieAfter)
	if _, err := p.cluster.Kubectl(t.Context(), "-n", h.ns, "scale", "deployment/web", "--replicas=3"); err != nil {
		t.Fatal(err)
	}
	h.settle(nil)
	h.wantUnclear()
	if _, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice", Reason: "it runs"}); err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("undo says %v", err)
	}
	if err := h.process("first", nil).Enforce(t.Context(), h.key, h.cases, h.policy); err == nil {
		t.Error("a second enforcement of one root began")
	}
	h.wantReplicas(3)
	h.wantWrites("patch deployments/scale")
}

func (h *house) wantUnclear() {
	h.t.Helper()
	if d := h.wantState(docket.Unclear); !strings.Contains(d.Enforcement.Settled, "nobody can tell") {
		h.t.Errorf("settled as %q", d.Enforcement.Settled)
	}
}

// settleLateWrite: the dead process's write lands after the settling one has looked, and
// before its fence. It must be found, not fenced over.
func settleLateWrite(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	dead := h.dies(dieBefore)
	landed := false
	h.settle(&wire{after: func(r *http.Request, answer *http.Response) (*http.Response, error) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/deployments/web") && !landed {
			landed = true
			err := h.late(dead)
			eventually(t, "the controllers have come to rest", func() bool {
				o := must(p.admin.AppsV1().Deployments(h.ns).Get(t.Context(), "web", metav1.GetOptions{}))
				return o.Status.ObservedGeneration == o.Generation && o.Status.Replicas == 0
			})
			return answer, err
		}
		return answer, nil
	}})
	h.wantState(docket.Done)
	h.wantReplicas(0)
}

// dieUnsent ends a process at its last request before the act: the count in the Lease.
func dieUnsent(die func()) *wire {
	return &wire{after: func(r *http.Request, answer *http.Response) (*http.Response, error) {
		if r.Method != http.MethodGet && strings.Contains(r.URL.Path, "/leases/") {
			die()
			return nil, errCut
		}
		return answer, r.Context().Err()
	}}
}

// settleUnsent: the prior state is on record and nothing was sent, so nothing is fenced.
func settleUnsent(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	if d := h.dies(dieUnsent); d.Enforcement.Prior.ResourceVersion == "" || !d.Enforcement.Sending.IsZero() {
		t.Fatalf("it died elsewhere: %+v", d.Enforcement)
	}
	h.settle(nil)
	h.wantRefused(16, "nothing was sent")
	h.wantReplicas(3)
	h.wantWrites()
}

// settleIngressUnsent: somebody else deletes the ingress of such an intent. It is not ours.
func settleIngressUnsent(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.expose()
	h.dies(dieUnsent)
	if err := p.admin.NetworkingV1().Ingresses(h.ns).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	h.settle(nil)
	h.wantRefused(16, "nothing was sent")
	h.wantWrites()
}

// settleBeforeRead and settlePaused: the first process is not dead, only paused, and goes on
// after another has settled its intent. It must do nothing.
func settleBeforeRead(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.grant()
	settled := false
	paused := &wire{after: func(r *http.Request, answer *http.Response) (*http.Response, error) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/deployments/web") && !settled {
			settled = true
			h.settle(nil)
		}
		return answer, nil
	}}
	if err := h.process("first", paused).Enforce(t.Context(), h.key, h.cases, h.policy); err == nil || !settled {
		t.Errorf("settled %v; the process that lost its intent said %v", settled, err)
	}
	h.wantRefused(16, "nothing was sent")
	h.wantReplicas(3)
	h.wantWrites()
}

func settlePaused(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.grant()
	settled := false
	paused := &wire{before: func(r *http.Request) error {
		if scaling(r) && !settled {
			settled = true
			h.settle(nil)
		}
		return nil
	}}
	if err := h.process("first", paused).Enforce(t.Context(), h.key, h.cases, h.policy); err == nil || !settled {
		t.Errorf("settled %v; the process that lost its intent said %v", settled, err)
	}
	h.wantRefused(7, "touched")
	h.wantReplicas(3)
	h.wantWrites("patch deployments")
}

// settleGoesOn: the first process goes on while another settles its intent: it reads the
// object after the fence, and would write after the other has recorded that nothing was done.
func settleGoesOn(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.grant()
	fenced, writes, ended, settled := make(chan bool), make(chan bool), make(chan bool), make(chan error, 1)
	var once sync.Once
	settling := func() {
		settled <- h.process("second", &wire{after: func(r *http.Request, answer *http.Response) (*http.Response, error) {
			if r.Method == http.MethodPatch && answer.StatusCode == http.StatusOK {
				once.Do(func() {
					close(fenced)
					select {
					case <-writes:
					case <-ended:
					}
				})
			}
			return answer, nil
		}}).Settle(ctxOf(t), h.key)
	}
	tries, started := 0, false
	first := &wire{before: func(r *http.Request) error {
		switch {
		case scaling(r) && tries == 0:
			tries++
			h.touch(1)
		case scaling(r):
			close(writes)
			err := <-settled
			settled <- err
			return err
		case tries == 1 && !started:
			started = true
			go settling()
			select {
			case <-fenced:
			case err := <-settled: // it ended without a fence
				settled <- err
			}
		}
		return nil
	}}
	err := h.process("first", first).Enforce(t.Context(), h.key, h.cases, h.policy)
	close(ended)
	if settleErr := <-settled; err == nil || settleErr != nil {
		t.Errorf("the first said %v, the second %v", err, settleErr)
	}
	h.wantReplicas(3)
	if d := h.docket(); d.Enforcement != nil && d.Enforcement.State == docket.Unclear {
		h.wantWrites() // nobody could tell, so nothing followed
		return
	}
	h.wantRefused(7, "touched")
	h.wantWrites("patch deployments")
}

// settleAPIError: what cannot be seen is not settled, and the intent stays.
func settleAPIError(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.dies(dieAfter)
	for name, cut := range map[string]func(*http.Request) error{
		"everything": func(*http.Request) error { return errCut },
		"answers 403": func(r *http.Request) error {
			r.Header.Set("Authorization", "Bearer none")
			return nil
		},
	} {
		if err := h.process("second", &wire{before: cut}).Settle(t.Context(), h.key); err == nil {
			t.Errorf("%s: settled blindly", name)
		}
		h.wantState(docket.Intent)
	}
	h.settle(nil)
	h.wantState(docket.Done)
}

// undoDies lets an undo die at a point; then another process settles it.
func (h *house) undoDies(at func(func()) *wire) {
	h.t.Helper()
	h.act(nil)
	ctx, die := context.WithCancel(h.t.Context())
	defer die()
	if _, err := h.process("dead", at(die)).Undo(ctx, h.key, docket.Undo{By: "alice"}); err == nil {
		h.t.Fatal("it did not die")
	}
	h.wantState(docket.Undoing)
	h.settle(nil)
	h.wantState(docket.Undid)
}

func settleUndoBefore(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.undoDies(dieBefore)
	h.wantReplicas(3)
	h.wantWrites("patch deployments/scale", "update deployments/scale")
}

func settleUndoAfter(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.undoDies(dieAfter)
	h.wantReplicas(3)
	h.wantWrites("patch deployments/scale", "update deployments/scale")
}

func settleUndoIngress(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.expose()
	h.undoDies(dieAfter)
	h.wantWrites("delete ingresses", "create ingresses")
	back := must(p.admin.NetworkingV1().Ingresses(h.ns).Get(t.Context(), "web", metav1.GetOptions{}))
	if d := h.docket(); !d.Holds(string(back.UID)) {
		t.Errorf("the docket holds %v, the ingress is %s", d.Aliases, back.UID)
	}
}
