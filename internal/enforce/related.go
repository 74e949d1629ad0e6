package enforce

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/entity"
)

// related is what rules may look up at the edge: autoscalers, live. Of every other kind the
// gate knows nothing, and what is unknown is not acted on.
type related struct {
	ctx context.Context //nolint:containedctx // it lives as long as one look
	e   *Enforcer
}

// List implements rule.Related.
func (r related) List(kind entity.Kind, namespace string) ([]entity.Entity, bool) {
	if kind != entity.HorizontalPodAutoscaler {
		return nil, false
	}
	list, err := r.e.Client.AutoscalingV2().HorizontalPodAutoscalers(namespace).List(r.ctx, metav1.ListOptions{})
	if err != nil {
		return nil, false
	}
	all := make([]entity.Entity, 0, len(list.Items))
	for i := range list.Items {
		scaler, err := entity.From(&list.Items[i])
		if err != nil {
			return nil, false
		}
		all = append(all, scaler.Slim())
	}
	return all, true
}

// Node implements rule.Related.
func (related) Node(string) (node entity.Entity, found, known bool) { return }
