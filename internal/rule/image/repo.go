// Package image holds the rules about container images.
//
// Purpose: one file per rule; each is a constructor of a [rule.Rule].
//
// Concurrency: the rules hold no state that changes.
//
// Guarantees: a reference means what the container runtimes take it to mean.
//
// It will not: ask a registry.
package image

import (
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// RepoParams are the parameters of [Repo].
type RepoParams struct {
	// Approved are registries or repositories, matched by whole path segments.
	Approved []string
}

// Repo finds images that come from elsewhere than the approved repositories. An approval
// that is no registry or repository is an error that names it.
func Repo(p RepoParams) (rule.Rule, error) {
	approved, err := parseApprovals(p.Approved)
	if err != nil {
		return rule.Rule{}, err
	}
	return rule.Rule{
		Meta: rule.Meta{
			ID:       "IMAGE_REPO",
			Title:    "An image comes from a repository that is not approved",
			Why:      "Nobody in the platform vouches for what such an image holds, and whoever owns that repository can replace it.",
			Remedy:   "Push the image to an approved repository, and name it there.",
			Severity: rule.High, Category: rule.Security, Revision: 1,
			Kinds:  []entity.Kind{entity.Deployment, entity.Pod},
			Params: strings.Join(approved, " "),
		},
		Check: func(e entity.Entity, _ rule.Related) rule.Result { return checkRepo(e, approved) },
	}, nil
}

func checkRepo(e entity.Entity, approved approvals) rule.Result {
	if len(approved) == 0 {
		return rule.Result{Unknown: "no repository is approved: set rules.IMAGE_REPO.approved"}
	}
	var result rule.Result
	for c := range e.Containers() {
		name, err := normalise(c.Image)
		var message string
		switch {
		case err != nil:
			message = "the image is no valid reference, so it cannot be approved"
		case !approved.covers(name):
			message = "the repository of the image is not approved"
		default:
			continue
		}
		result.Violations = append(result.Violations, v1.Violation{
			Source: c.Name, Message: message, Path: c.Path + ".image", Evidence: c.Image,
		})
	}
	return result
}
