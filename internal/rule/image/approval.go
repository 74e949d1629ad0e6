package image

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// approvals are normalised prefixes: "registry" or "registry/path".
type approvals []string

// parseApprovals reads approvals as people write them. A bare name is what the container
// runtime makes of it ("nginx": docker.io/library/nginx). "docker.io/x" approves the
// organisation x and the official image x, for people write both so; "name:5000" is a registry.
func parseApprovals(written []string) (approvals, error) {
	var out approvals
	for _, w := range written {
		prefixes, err := parseApproval(w)
		if err != nil {
			return nil, fmt.Errorf("rules.IMAGE_REPO.approved: %q: %w; write a registry or a repository, without tag or digest, like registry.example/team", w, err)
		}
		out = append(out, prefixes...)
	}
	return out, nil
}

func parseApproval(written string) (approvals, error) {
	trimmed := strings.TrimSuffix(written, "/")
	registry, path, hasPath := strings.Cut(trimmed, "/")
	if !registryLike(registry) {
		named, err := reference.ParseNormalizedNamed(trimmed)
		if err != nil {
			return nil, err
		}
		if !reference.IsNameOnly(named) {
			return nil, fmt.Errorf("it has a tag or a digest")
		}
		return approvals{named.Name()}, nil
	}
	probe := path
	if !hasPath {
		probe = "any"
	}
	named, err := reference.ParseNormalizedNamed(registry + "/" + probe)
	if err != nil {
		return nil, err
	}
	if !reference.IsNameOnly(named) {
		return nil, fmt.Errorf("it has a tag or a digest")
	}
	registry = strings.ToLower(reference.Domain(named))
	switch {
	case !hasPath:
		return approvals{registry}, nil
	case registry == "docker.io" && path != "library" && !strings.Contains(path, "/"):
		return approvals{registry + "/" + path, registry + "/library/" + path}, nil
	}
	return approvals{registry + "/" + path}, nil
}

// registryLike is the container runtimes' own test of a reference's first segment.
func registryLike(segment string) bool {
	return segment == "localhost" || strings.ContainsAny(segment, ".:")
}

// covers reports whether the normalised name lies in one of the approvals, by whole segments.
func (a approvals) covers(name string) bool {
	for _, prefix := range a {
		if name == prefix || strings.HasPrefix(name, prefix+"/") {
			return true
		}
	}
	return false
}

// normalise returns the full repository of an image reference: "docker.io/library/nginx".
func normalise(image string) (string, error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", err
	}
	return strings.ToLower(reference.Domain(named)) + "/" + reference.Path(named), nil
}
