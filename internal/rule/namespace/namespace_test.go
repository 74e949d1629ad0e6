package namespace

import (
	"testing"

	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/ruletest"
)

func TestManifests(t *testing.T) { ruletest.Run(t, []rule.Rule{Owner(OwnerParams{})}, "testdata") }
