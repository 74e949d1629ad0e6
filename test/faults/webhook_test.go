package faults

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	admission "k8s.io/api/admission/v1"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/tools/stage"
)

const hookYAML = `apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: faults-reset}
webhooks:
  - name: reset.stage.example
    sideEffects: None
    admissionReviewVersions: [v1]
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}
    clientConfig: {url: %q, caBundle: %s}
    rules: [{operations: [UPDATE], apiGroups: [apps], apiVersions: [v1], resources: [deployments/scale]}]
`

// webhook puts replicas back to 2 whenever action's account writes, but not in its dry runs:
// those look well. The act does not take: one real write is sent, then a person is asked.
func webhook(t *testing.T, p plane) {
	h := newHouse(t, p, "webhook", nil)
	server := httptest.NewTLSServer(http.HandlerFunc(resets))
	t.Cleanup(server.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	h.apply(fmt.Sprintf(hookYAML, h.ns, server.URL, base64.StdEncoding.EncodeToString(ca)))
	defer h.kubectl("delete", "mutatingwebhookconfiguration", "faults-reset")
	h.apply(privileged(h.ns, "web"))
	h.until(20*time.Second, "the webhook is in force", func() bool {
		out, err := p.Cluster.Kubectl(t.Context(), "-n", h.ns, "scale", "deployment", "web", "--replicas=9", "--dry-run=server", "-o", "jsonpath={.spec.replicas}")
		return err == nil && strings.Contains(out, "2")
	})
	h.start()
	plan := h.planned(40*time.Second, "web", "a webhook or controller reset")
	time.Sleep(5 * time.Second) // sixteen rounds
	if done, refused := h.writes(); len(done) != 0 || !slices.Equal(refused, []string{acted}) {
		t.Errorf("done: %q, refused: %q; want one refused try and no more", done, refused)
	}
	if r := h.rows("web"); len(r) != 1 || r[0].Status != ledger.StatusContested {
		t.Errorf("the case: %+v", r)
	}
	if n := h.replicas("web"); n != 2 {
		t.Errorf("%d replicas", n)
	}
	h.golden("webhook", "plan: "+plan)
}

func resets(w http.ResponseWriter, r *http.Request) {
	var review admission.AdmissionReview
	if err := json.NewDecoder(r.Body).Decode(&review); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer := &admission.AdmissionResponse{UID: review.Request.UID, Allowed: true}
	if !ptr.Deref(review.Request.DryRun, false) || review.Request.UserInfo.Username != stage.ActionUser {
		answer.PatchType = ptr.To(admission.PatchTypeJSONPatch)
		answer.Patch = []byte(`[{"op":"add","path":"/spec/replicas","value":2}]`)
	}
	review.Request, review.Response = nil, answer
	_ = json.NewEncoder(w).Encode(review)
}
