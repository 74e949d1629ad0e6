// Package namespace holds the rules about namespaces.
//
// Purpose: one file per rule; each is a constructor of a [rule.Rule].
//
// Concurrency: the rules hold no state that changes.
//
// Guarantees: only what the Namespace object says counts.
//
// It will not: guess an owner.
package namespace

import (
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/owner"
	"github.com/k8guard/k8guard/internal/rule"
)

// DefaultAnnotation names the owners' mail addresses where no other annotation is configured.
const DefaultAnnotation = "team/email-ids"

// OwnerParams are the parameters of [Owner].
type OwnerParams struct {
	// Annotation holds the addresses, comma-separated; empty means [DefaultAnnotation].
	Annotation string
}

// Owner finds namespaces that name nobody who could be told.
func Owner(p OwnerParams) rule.Rule {
	key := p.Annotation
	if key == "" {
		key = DefaultAnnotation
	}
	return rule.Rule{
		Meta: rule.Meta{
			ID:       "NO_OWNER_ANNOTATION",
			Title:    "A namespace names no owner",
			Why:      "Whatever goes wrong in the namespace, there is nobody to tell before something must be done about it.",
			Remedy:   "Annotate the namespace with its team's mail addresses, comma-separated, under the configured key.",
			Severity: rule.Medium, Category: rule.Ownership, Revision: 1,
			Kinds:  []entity.Kind{entity.Namespace},
			Keys:   []string{"owners.emailAnnotation"},
			Params: key,
		},
		Check: func(e entity.Entity, _ rule.Related) rule.Result { return checkOwner(e, key) },
	}
}

func checkOwner(e entity.Entity, key string) rule.Result {
	value, present := e.Annotations[key]
	valid, _ := owner.Addresses(value)
	if len(valid) > 0 {
		return rule.Result{}
	}
	message := "the annotation " + key + " holds no valid mail address"
	switch {
	case !present:
		message = "the annotation " + key + " is missing"
	case strings.TrimSpace(value) == "":
		message = "the annotation " + key + " is empty"
	}
	return rule.Result{Violations: []v1.Violation{{
		Source: key, Message: message, Path: "metadata.annotations[" + key + "]", Evidence: value,
	}}}
}
