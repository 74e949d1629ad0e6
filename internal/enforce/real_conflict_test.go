package enforce_test

import (
	"fmt"
	"net/http"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k8guard/k8guard/internal/docket"
)

// each runs do before every request that matches, at most times.
func each(match func(*http.Request) bool, times int, do func(n int)) *wire {
	n := 0
	return &wire{before: func(r *http.Request) error {
		if match(r) && n < times {
			n++
			do(n)
		}
		return nil
	}}
}

func (h *house) touch(n int) {
	h.patch(fmt.Sprintf(`{"metadata":{"annotations":{"example.org/touched":"%d"}}}`, n))
}

func (h *house) patch(patch string) {
	h.t.Helper()
	must(h.p.admin.AppsV1().Deployments(h.ns).Patch(h.t.Context(), "web", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}))
}

func conflictTests() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"once-at-write":     func(t *testing.T, p *plane) { changesOnce(t, p, scaling) },
		"once-at-dry-run":   func(t *testing.T, p *plane) { changesOnce(t, p, dry) },
		"always-at-write":   func(t *testing.T, p *plane) { changesAlways(t, p, scaling) },
		"always-at-dry-run": func(t *testing.T, p *plane) { changesAlways(t, p, dry) },
		"fixed-between":     fixedBetween,
		"recreated-between": recreatedBetween, "gone-between": goneBetween,
		"ingress-recreated-between": ingressRecreatedBetween, "ingress-gone-between": ingressGoneBetween,
	}
}

func changesOnce(t *testing.T, p *plane, match func(*http.Request) bool) {
	h := newHouse(t, p)
	h.deploy()
	h.act(each(match, 1, h.touch))
	h.wantState(docket.Done)
	h.wantReplicas(0)
	if b := must(h.control.Budget(t.Context(), p.uid)); len(b.Grants) != 1 || !b.Grants[0].Used {
		t.Errorf("one act, and the budget's grants are %+v", b.Grants)
	}
}

func changesAlways(t *testing.T, p *plane, match func(*http.Request) bool) {
	h := newHouse(t, p)
	h.deploy()
	changes := 0
	h.act(each(match, 100, func(n int) { changes = n; h.touch(n) }))
	d := h.wantRefused(7, "changed 5 times")
	// The deployment's controller changes it too, so ours need not be all five.
	if changes < 1 || changes > 5 || d.Refusal.Human || !d.Refusal.Until.After(d.Refusal.At) {
		t.Errorf("judged again after %d changes; refusal %+v", changes, d.Refusal)
	}
	h.wantReplicas(3)
	h.wantWrites()
}

func fixedBetween(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(each(scaling, 1, func(int) {
		h.patch(`{"spec":{"template":{"spec":{"containers":[{"name":"main","securityContext":{"privileged":false}}]}}}}`)
	}))
	h.wantRefused(6, "does not violate")
	h.wantReplicas(3)
	h.wantWrites()
}

func recreatedBetween(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	deployments := p.admin.AppsV1().Deployments(h.ns)
	h.act(each(scaling, 1, func(int) {
		if err := deployments.Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		must(deployments.Create(t.Context(), deployment("web"), metav1.CreateOptions{}))
	}))
	h.wantRefused(6, "another object bears the name")
	h.wantReplicas(3)
	h.wantWrites()
}

func goneBetween(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(each(scaling, 1, func(int) {
		if err := p.admin.AppsV1().Deployments(h.ns).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}))
	h.wantRefused(6, "gone")
	h.wantWrites()
}

func ingressRecreatedBetween(t *testing.T, p *plane) {
	h := newHouse(t, p)
	before := h.expose()
	ingresses := p.admin.NetworkingV1().Ingresses(h.ns)
	h.act(each(real, 1, func(int) {
		if err := ingresses.Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
		must(ingresses.Create(t.Context(), ingress("web", before.Spec.Rules[0].Host), metav1.CreateOptions{}))
	}))
	h.wantRefused(6, "another object bears the name")
	h.wantWrites()
	must(ingresses.Get(t.Context(), "web", metav1.GetOptions{}))
}

// ingressGoneBetween: the owner deletes it just before our request. That is no act of ours.
func ingressGoneBetween(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.expose()
	h.act(each(real, 1, func(int) {
		if err := p.admin.NetworkingV1().Ingresses(h.ns).Delete(t.Context(), "web", metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}))
	h.wantRefused(6, "gone, by another hand")
	h.wantWrites()
}

// lineTests break the line, not the process: the same process must end truthfully.
func lineTests() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"answer-lost": answerLost, "request-lost": requestLost, "sent-twice": sentTwice, "ingress-sent-twice": ingressSentTwice,
		"undo-answer-lost": undoAnswerLost,
	}
}

func loseAnswer(match func(*http.Request) bool, lost func(*http.Request) (*http.Response, error)) *wire {
	done := false
	return &wire{after: func(r *http.Request, answer *http.Response) (*http.Response, error) {
		if done || !match(r) {
			return answer, nil
		}
		done = true
		return lost(r)
	}}
}

func cut(*http.Request) (*http.Response, error) { return nil, errCut }

func answerLost(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(loseAnswer(scaling, cut))
	if d := h.wantState(docket.Done); d.Enforcement.Settled == "" {
		t.Error("the record does not say that the outcome was settled")
	}
	h.wantWrites("patch deployments/scale")
}

func requestLost(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	done := false
	h.act(&wire{before: func(r *http.Request) error {
		if scaling(r) && !done {
			done = true
			return errCut
		}
		return nil
	}})
	h.wantRefused(7, "touched")
	h.wantReplicas(3)
	h.wantWrites("patch deployments")
}

// sentTwice: the server carried the write out and then answered 503 with Retry-After. The
// client library sends it again by itself, and the conflict is with our own write.
func sentTwice(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(loseAnswer(scaling, func(r *http.Request) (*http.Response, error) { return unavailable(r), nil }))
	h.wantState(docket.Done)
	h.wantReplicas(0)
	h.wantWrites("patch deployments/scale")
}

// ingressSentTwice: as before, and the second answer is a definite 404: of our own deletion.
func ingressSentTwice(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.expose()
	h.act(loseAnswer(real, func(r *http.Request) (*http.Response, error) { return unavailable(r), nil }))
	if d := h.wantState(docket.Done); d.Enforcement.Settled == "" {
		t.Error("the record does not say that the outcome was settled")
	}
	h.wantWrites("delete ingresses")
}

func undoAnswerLost(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(nil)
	if _, err := h.process("first", loseAnswer(scaling, cut)).Undo(t.Context(), h.key, docket.Undo{By: "alice"}); err == nil {
		t.Error("the undo said that it succeeded without an answer")
	}
	h.wantState(docket.Undoing)
	h.settle(nil)
	h.wantState(docket.Undid)
	h.wantReplicas(3)
	h.wantWrites("patch deployments/scale", "update deployments/scale")
}
