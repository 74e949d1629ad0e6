package availability_test

import (
	"strings"
	"testing"

	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/availability"
	"github.com/k8guard/k8guard/internal/rule/ruletest"
)

func TestManifests(t *testing.T) {
	ruletest.Run(t, []rule.Rule{availability.SingleReplica()}, "testdata")
}

func hpa(name, foreign string, minimum int32) entity.Entity {
	return entity.Entity{Kind: entity.HorizontalPodAutoscaler, Namespace: "shop", Name: name,
		Scaler: &entity.Scaler{Kind: entity.Deployment, Name: "web", Min: minimum, Foreign: foreign}}
}

func TestWhatIsNotCertainIsUnknown(t *testing.T) {
	web := entity.Entity{Kind: entity.Deployment, Namespace: "shop", Name: "web", Replicas: ptr.To[int32](1)}
	for name, c := range map[string]struct {
		related rule.Related
		says    string
	}{
		"no list":             {rule.NewSet(nil, entity.HorizontalPodAutoscaler), "could not be read"},
		"two claim it":        {rule.NewSet([]entity.Entity{hpa("a", "", 1), hpa("b", "", 2)}), "2 autoscalers"},
		"KEDA may go to zero": {rule.NewSet([]entity.Entity{hpa("keda-hpa-web", "ScaledObject", 1)}), "made by a ScaledObject"},
	} {
		t.Run(name, func(t *testing.T) {
			r := availability.SingleReplica().Check(web, c.related)
			if len(r.Violations) > 0 || !strings.Contains(r.Unknown, c.says) {
				t.Errorf("%+v, want unknown: %s", r, c.says)
			}
		})
	}
	asleep := web
	asleep.Replicas = ptr.To[int32](0)
	if r := availability.SingleReplica().Check(asleep, rule.NewSet(nil)); len(r.Violations) > 0 || r.Unknown == "" {
		t.Errorf("scaled to zero: %+v, neither one nor two", r)
	}
	r := availability.SingleReplica().Check(web, rule.NewSet([]entity.Entity{hpa("keda-hpa-web", "ScaledObject", 2)}))
	if len(r.Violations) > 0 || r.Unknown != "" {
		t.Errorf("KEDA from two: %+v", r)
	}
}
