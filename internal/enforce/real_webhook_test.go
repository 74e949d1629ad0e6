package enforce_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	admissionreview "k8s.io/api/admission/v1"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/enforce"
)

// resetter runs a mutating webhook that puts replicas of a scale to a value, in dry runs
// of action's account only if it is told so.
func (h *house) resetter(to string, inDryRuns bool) {
	h.t.Helper()
	h.webhook("apps", "deployments/scale", "replicas", to, inDryRuns)
	eventually(h.t, "the webhook answers", func() bool {
		return h.asked([]byte(`{"spec":{"replicas":9}}`), metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}}) == to
	})
}

// webhook runs one that sets a field of the spec whenever such an object is updated.
func (h *house) webhook(group, resource, field, to string, inDryRuns bool) {
	h.t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admissionreview.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer := &admissionreview.AdmissionResponse{UID: review.Request.UID, Allowed: true}
		if inDryRuns || !ptr.Deref(review.Request.DryRun, false) || review.Request.UserInfo.Username != enforce.Account {
			answer.PatchType = ptr.To(admissionreview.PatchTypeJSONPatch)
			answer.Patch = []byte(`[{"op":"add","path":"/spec/` + field + `","value":` + to + `}]`)
		}
		review.Request, review.Response = nil, answer
		_ = json.NewEncoder(w).Encode(review)
	}))
	h.t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	hooks := h.p.admin.AdmissionregistrationV1().MutatingWebhookConfigurations()
	must(hooks.Create(h.t.Context(), &admissionv1.MutatingWebhookConfiguration{ObjectMeta: metav1.ObjectMeta{Name: h.ns},
		Webhooks: []admissionv1.MutatingWebhook{{Name: "reset.example.org", SideEffects: ptr.To(admissionv1.SideEffectClassNone),
			AdmissionReviewVersions: []string{"v1"}, FailurePolicy: ptr.To(admissionv1.Fail),
			NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"kubernetes.io/metadata.name": h.ns}},
			ClientConfig:      admissionv1.WebhookClientConfig{URL: ptr.To(server.URL), CABundle: ca},
			Rules: []admissionv1.RuleWithOperations{{Operations: []admissionv1.OperationType{"UPDATE"},
				Rule: admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: []string{resource}}}}}}}, metav1.CreateOptions{}))
	h.t.Cleanup(func() { _ = hooks.Delete(ctxOf(h.t), h.ns, metav1.DeleteOptions{}) })
}

// asked returns the replicas that the server answers with to a scale by the administrator.
func (h *house) asked(patch []byte, opts metav1.PatchOptions) string {
	raw, err := h.p.admin.AppsV1().RESTClient().Patch("application/merge-patch+json").Namespace(h.ns).Resource("deployments").
		Name("web").SubResource("scale").VersionedParams(&opts, metav1.ParameterCodec).Body(patch).DoRaw(h.t.Context())
	var scale autoscalingv1.Scale // it leaves a zero out
	if err != nil || json.Unmarshal(raw, &scale) != nil {
		return "an error"
	}
	return strconv.Itoa(int(scale.Spec.Replicas))
}

func webhookTests() map[string]func(*testing.T, *plane) {
	return map[string]func(*testing.T, *plane){
		"resets-but-in-dry-run": webhookNotInDryRun, "resets-to-less": webhookToLess, "resets-suspend-but-in-dry-run": webhookSuspend,
		"resets-undo": webhookUndo, "resets-undo-but-in-dry-run": webhookUndoNotInDryRun, "resets-undo-and-dies": webhookUndoDies,
	}
}

func webhookAlways(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.resetter("3", true)
	h.act(nil)
	h.wantRefused(7, "dry run")
	h.wantReplicas(3)
	h.wantWrites()
}

// webhookNotInDryRun: the dry run looks well, the act does not take. It must end as what it
// is: contested, with nothing done, and not as an act.
func webhookNotInDryRun(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.resetter("3", false)
	h.act(nil)
	h.wantContested("reset replicas of Deployment/", "k8guard-action-scale")
	h.wantReplicas(3)
	h.wantWrites()
}

// webhookSuspend: the same where the policy has nothing against what the webhook makes of it.
// The server took the write, which changed nothing, and it is the only one.
func webhookSuspend(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.cronJob(nil)
	h.webhook("batch", "cronjobs", "suspend", "false", false)
	eventually(t, "the webhook answers", func() bool {
		c, err := p.admin.BatchV1().CronJobs(h.ns).Patch(t.Context(), "web", types.MergePatchType, []byte(`{"spec":{"suspend":true}}`),
			metav1.PatchOptions{DryRun: []string{metav1.DryRunAll}})
		return err == nil && !*c.Spec.Suspend
	})
	h.act(nil)
	h.wantContested("reset suspend of CronJob/", "the server answered false")
	h.wantSuspended(false)
	h.wantWrites("patch cronjobs")
}

// wantContested wants the act to be given up for good, and only a person asked.
func (h *house) wantContested(parts ...string) {
	h.t.Helper()
	for _, part := range append(parts, "a webhook or controller", "does not try again", "mutatingwebhookconfigurations") {
		h.wantRefused(7, part)
	}
	for _, c := range h.docket().Cases {
		if c.State != docket.Contested {
			h.t.Errorf("case %s is %s", c.ID, c.State)
		}
	}
}

// webhookToLess: the shipped policy holds the account even to what a webhook made of it.
func webhookToLess(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.resetter("1", true)
	h.act(nil)
	h.wantRefused(7, "k8guard-action-scale")
	h.wantReplicas(3)
}

func webhookUndo(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(nil)
	h.resetter("0", true)
	h.undoStops("something resets the value")
	h.wantReplicas(0)
	h.wantWrites("patch deployments/scale")
	if d := h.docket(); d.Enforcement.State != docket.Done || *d.Enforcement.Prior.Replicas != 3 {
		t.Errorf("on record: %+v", d.Enforcement)
	}
}

// webhookUndoNotInDryRun: the undo took effect with another value. It wrote, so it is on
// record as an undo, with the value that is there now.
func webhookUndoNotInDryRun(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(nil)
	h.resetter("2", false)
	note, err := h.process("first", nil).Undo(t.Context(), h.key, docket.Undo{By: "alice"})
	h.altered(note, err)
}

// webhookUndoDies: the same, and the process dies after the server's work.
func webhookUndoDies(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.deploy()
	h.act(nil)
	h.resetter("2", false)
	ctx, die := context.WithCancel(t.Context())
	defer die()
	if _, err := h.process("dead", dieAfter(die)).Undo(ctx, h.key, docket.Undo{By: "alice"}); err == nil {
		t.Fatal("it did not die")
	}
	h.settle(nil)
	h.altered(h.docket().Enforcement.Undo.Note, nil)
}

func (h *house) altered(note string, err error) {
	h.t.Helper()
	if d := h.wantState(docket.Undid); err != nil || d.Enforcement.Undo.Note != note {
		h.t.Errorf("said %q, %v; on record is %q", note, err, d.Enforcement.Undo.Note)
	}
	for _, part := range []string{"not to 3 replicas", "2"} {
		if !strings.Contains(note, part) {
			h.t.Errorf("%q is not in %q", part, note)
		}
	}
	h.wantReplicas(2)
	h.wantWrites("patch deployments/scale", "update deployments/scale")
}
