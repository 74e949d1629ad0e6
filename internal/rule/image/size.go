package image

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"k8s.io/apimachinery/pkg/api/resource"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// SizeParams are the parameters of [Size].
type SizeParams struct {
	// Limit is a quantity such as 5G or 800Mi; an image that is larger is a violation. With an
	// empty one the rule says unknown.
	Limit string
}

// Size finds images that are larger than the limit, by what the pod's own node reports of
// them, or what a node reported before of the same content. A limit that is no quantity above zero is an error.
func Size(p SizeParams) (rule.Rule, error) {
	limit, err := resource.ParseQuantity(p.Limit)
	if p.Limit != "" && (err != nil || limit.Sign() <= 0) {
		return rule.Rule{}, fmt.Errorf("rules.IMAGE_SIZE.limit: %q is no size above zero; write a quantity such as 5G or 800Mi", p.Limit)
	}
	return rule.Rule{
		Meta: rule.Meta{
			ID:       "IMAGE_SIZE",
			Title:    "An image is larger than allowed",
			Why:      "A large image makes each start on a fresh node slow, fills the nodes' disks and gets other images evicted.",
			Remedy:   "Build the image smaller: a slim base, several stages, no build tools or data inside.",
			Severity: rule.Low, Category: rule.Efficiency, Revision: 1,
			Kinds: []entity.Kind{entity.Pod}, Reads: []entity.Kind{entity.Node},
			Keys:   []string{"rules.IMAGE_SIZE.limit"},
			Params: limit.String(),
		},
		Check: func(e entity.Entity, related rule.Related) rule.Result { return checkSize(e, related, limit) },
	}, nil
}

func checkSize(e entity.Entity, related rule.Related, limit resource.Quantity) rule.Result {
	switch {
	case limit.IsZero():
		return rule.Result{Unknown: "no size is the largest allowed: set rules.IMAGE_SIZE.limit"}
	case e.Node == "":
		return rule.Result{Unknown: "the pod is on no node yet, so no node knows its images"}
	case len(e.Running) == 0:
		return rule.Result{Unknown: "the node did not say yet what the pod runs"}
	}
	node, found, known := related.Node(e.Node)
	switch {
	case !known:
		return rule.Result{Unknown: "the nodes could not be read"}
	case !found || node.Stored == nil:
		return rule.Result{Unknown: "the pod's node is gone"}
	}
	var result rule.Result
	for _, c := range e.Running {
		size, how := stored(node.Stored, c)
		if how == unseen {
			result.Unknown = "the node does not report the size of the image of container " + c.Container + "; a kubelet reports 50 images unless nodeStatusMaxImages says otherwise"
			continue
		}
		if resource.NewQuantity(size, resource.DecimalSI).Cmp(limit) > 0 {
			result.Violations = append(result.Violations, v1.Violation{Source: c.Container,
				Message: fmt.Sprintf("the image is larger than %s", limit.String()), Path: "status.containerStatuses[" + c.Container + "]",
				Evidence: evidence(c, size, how, node.Stored.Runtime)})
		}
	}
	return result
}

// source is how sure a size is.
type source int

const (
	unseen source = iota
	exactly
	before // by the content too, but of another time or node
	byName
)

// stored finds what is known of an image's size: by the very content that the container
// runs, on its node or on one that reported it some time, else by a reference that may mean
// another content by now.
func stored(on *entity.Stored, c entity.Running) (size int64, how source) {
	id := c.ImageID
	if _, after, cut := strings.Cut(id, "://"); cut { // "docker-pullable://"
		id = after
	}
	if strings.Contains(id, "@sha256:") {
		if size, ok := on.Bytes[id]; ok {
			return size, exactly
		}
		if size, ok := on.Before[entity.Digest(id)]; ok {
			return size, before
		}
	}
	if size, ok := on.Bytes[c.Image]; ok {
		return size, byName
	}
	named, err := reference.ParseNormalizedNamed(c.Image)
	if err != nil {
		return 0, unseen
	}
	if size, ok := on.Bytes[reference.TagNameOnly(named).String()]; ok {
		return size, byName
	}
	return 0, unseen
}

// evidence names the image, its size, and what was measured: runtimes report either the
// layers as they were pulled or as they lie on the disk.
func evidence(c entity.Running, size int64, how source, runtime string) string {
	form := map[string]string{"containerd": "compressed", "cri-o": "unpacked", "docker": "unpacked"}[runtime]
	if form == "" {
		form = "as its runtime counts"
	}
	about, from := "", ""
	switch how {
	case byName:
		about = "approximately, by its name: "
	case before:
		from = ", seen on a node before"
	}
	return fmt.Sprintf("%s: %s%s bytes, %s%s", c.Image, about, resource.NewQuantity(size, resource.DecimalSI), form, from)
}
