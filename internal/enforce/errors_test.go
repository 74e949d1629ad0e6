package enforce

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

func TestBreakerOpensOnErrorsInARow(t *testing.T) {
	ctx := context.Background()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "ledger.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	e := &Enforcer{Settings: Settings{Control: control.New(store, time.Now)}}
	e.Config.Enforce = config.Enforce{Breaker: config.Breaker{Errors: 3}}
	broken := Facts{Around: Around{Err: errors.New("no route to host")}}
	absent := Facts{Permit: Switch{Err: apierrors.NewNotFound(schema.GroupResource{Resource: "configmaps"}, "k8guard-permit")}}
	steps := []struct {
		facts Facts
		open  bool
	}{{broken, false}, {broken, false}, {absent, false}, {broken, false}, {broken, false}, {broken, true}, {Facts{}, true}}
	for i, step := range steps {
		if err := e.watchErrors(ctx, step.facts); err != nil {
			t.Fatal(err)
		}
		b, err := e.Control.Breaker(ctx)
		if err != nil || b.Open != step.open {
			t.Fatalf("step %d: the breaker is open: %v, want %v (%v)", i, b.Open, step.open, err)
		}
	}
}

func TestAConflictIsNamedByItsField(t *testing.T) {
	kind := schema.GroupKind{Group: "apps", Kind: "Deployment"}
	invalid := func(name string, path ...string) error {
		return apierrors.NewInvalid(kind, name, field.ErrorList{field.Invalid(field.NewPath(path[0], path[1:]...), "x", "uid resourceVersion")})
	}
	resource := schema.GroupResource{Group: "apps", Resource: "deployments"}
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"a conflict":              {apierrors.NewConflict(resource, "web", errors.New("modified")), true},
		"another UID":             {invalid("web", "metadata", "uid"), true},
		"another version":         {invalid("web", "metadata", "resourceVersion"), true},
		"a squid's image":         {invalid("squid", "spec", "replicas"), false},
		"another object's UID":    {invalid("web", "metadata", "ownerReferences", "uid"), false},
		"forbidden, with a druid": {apierrors.NewForbidden(resource, "druid", errors.New("metadata.uid")), false},
		"no status":               {errors.New("metadata.uid"), false},
		"nothing":                 {nil, false},
	} {
		if got := conflictOr(test.err); errors.Is(got, errConflict) != test.want || !errors.Is(got, test.err) {
			t.Errorf("%s: %v; a conflict should be %v", name, got, test.want)
		}
	}
}
