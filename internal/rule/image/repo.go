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
	"fmt"
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

// Repo finds images, of containers and of image volumes, that come from elsewhere than the approved repositories. An approval
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
			Remedy:   rule.Remedy("Push the image to an approved repository, and write that address into the container's image.", approved),
			Severity: rule.High, Category: rule.Security, Revision: 2,
			Kinds:  entity.Workloads(),
			Keys:   []string{"rules.IMAGE_REPO.approved"},
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
	judge := func(source, image, path string) {
		if message := disapproval(image, approved); message != "" {
			result.Violations = append(result.Violations, v1.Violation{Source: source, Message: message, Path: path, Evidence: image})
		}
	}
	for c := range e.Containers() {
		judge(c.Name, c.Image, c.Path+".image")
	}
	if e.Pod == nil {
		return result
	}
	for i, v := range e.Pod.Volumes {
		if v.Image != nil {
			judge("volume "+v.Name, v.Image.Reference, fmt.Sprintf("%s.volumes[%d].image.reference", e.PodPath, i))
		}
	}
	return result
}

// disapproval says why the image is not approved, or "".
func disapproval(image string, approved approvals) string {
	name, err := normalise(image)
	switch {
	case err != nil:
		return "the image is no valid reference, so it cannot be approved"
	case !approved.covers(name):
		return "the repository of the image is not approved"
	}
	return ""
}
