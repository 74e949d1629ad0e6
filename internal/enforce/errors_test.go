package enforce

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

// byPolicy is what the API server answers when an admission policy says no.
func byPolicy(name string) error {
	text := "ValidatingAdmissionPolicy '" + name + "' with binding '" + name + "' denied request: no"
	err := apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "web", errors.New(text))
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{Message: text}}
	return err
}

func TestWhatPutsAWriteBack(t *testing.T) {
	ours := byPolicy("k8guard-action-scale")
	hostile := apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "ValidatingAdmissionPolicy 'k8guard-action-scale'", errors.New("no"))
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"another value":               {fmt.Errorf("%w: 2", errReset), true},
		"refused by our policy":       {fmt.Errorf("%w: %w", errRefused, ours), true},
		"not surely sent once":        {fmt.Errorf("%w: 2 times: %w", errAgain, errReset), false},
		"our policy, no refusal":      {ours, false},
		"refused by another's policy": {fmt.Errorf("%w: %w", errRefused, byPolicy("theirs")), false},
		"a name that sounds like it":  {fmt.Errorf("%w: %w", errRefused, hostile), false},
		"gone":                        {fmt.Errorf("%w: %w", errRefused, apierrors.NewNotFound(schema.GroupResource{}, "web")), false},
		"an open outcome":             {errors.New("timeout"), false},
		"nothing":                     {nil, false},
	} {
		if got := putBack(test.err); got != test.want {
			t.Errorf("%s: %v", name, got)
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
