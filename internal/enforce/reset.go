package enforce

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/docket"
)

// findWebhook is what a person does about a value that is reset.
const findWebhook = "find it (kubectl get mutatingwebhookconfigurations) and have it leave K8Guard's account alone"

// policyPrefix begins what the API server says for the shipped admission policies.
const policyPrefix = "ValidatingAdmissionPolicy 'k8guard-action-"

// putBack reports whether a real write met something that resets our value, though its dry
// run looked well: the server answered with another value, or the admission policies, which
// allow what we asked for, refused what was made of it. One such write is sent, and no more.
func putBack(err error) bool {
	if errors.Is(err, errAgain) {
		return false // what an earlier sending did is not known: it is settled by looking
	}
	return errors.Is(err, errReset) || errors.Is(err, errRefused) && byOurPolicy(err)
}

// byOurPolicy reports whether a shipped admission policy said no. The cause decides: the API
// server writes it, and no tenant's name stands before the policy's.
func byOurPolicy(err error) bool {
	var answer apierrors.APIStatus
	if !errors.As(err, &answer) || answer.Status().Details == nil {
		return false
	}
	return slices.ContainsFunc(answer.Status().Details.Causes, func(c metav1.StatusCause) bool { return strings.HasPrefix(c.Message, policyPrefix) })
}

func resetText(d docket.Docket, err error) string {
	field := "replicas"
	if d.Enforcement.Action == docket.Suspend {
		field = "suspend"
	}
	return fmt.Sprintf("a webhook or controller reset %s of %s, though not in the dry run: %v; nothing is in force, and K8Guard does not try again; %s, then stop the workload by hand or mend it",
		field, d.Root, err, findWebhook)
}
