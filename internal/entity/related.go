package entity

import (
	"maps"
	"strings"
	"unique"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Running is what one container of a Pod runs.
type Running struct {
	Container string
	Image     string // the reference that its node resolved, or the spec's
	ImageID   string // as the runtime names the content; empty before the image is there
}

// Scaler is what an autoscaler holds a workload to.
type Scaler struct {
	Kind Kind
	Name string
	// Min is the floor; unset is 1.
	Min int32
	// Foreign is the kind of a controller that made the autoscaler and may go below its floor,
	// as KEDA's ScaledObject does; empty for one that people made.
	Foreign string
}

// Stored is what a node reports of the images that it holds. A kubelet reports 50 unless it
// is told otherwise (nodeStatusMaxImages), so an absent image means nothing.
type Stored struct {
	Runtime  string           // "containerd", "cri-o", "docker"
	Platform string           // "linux/amd64": a digest may name one image for each
	Bytes    map[string]int64 // by each name of an image: references by digest and by tag
	// Before is by digest ("sha256:…") what a node of this runtime and platform reported some
	// time. Not the node's word of now: it may come from a cache.
	Before map[string]int64
}

// Digest is the digest in a reference or in what a runtime calls an image's content, or "".
func Digest(reference string) string {
	_, digest, _ := strings.Cut(reference, "@")
	if hex, ok := strings.CutPrefix(digest, "sha256:"); !ok || len(hex) != 64 || strings.Trim(hex, "0123456789abcdef") != "" {
		return ""
	}
	return digest
}

// Equal reports whether two nodes hold the same now.
func (s *Stored) Equal(o *Stored) bool {
	if s == nil || o == nil {
		return s == o
	}
	return s.Runtime == o.Runtime && s.Platform == o.Platform && maps.Equal(s.Bytes, o.Bytes)
}

func running(status corev1.PodStatus) []Running {
	var all []Running
	for _, set := range [][]corev1.ContainerStatus{status.InitContainerStatuses, status.ContainerStatuses, status.EphemeralContainerStatuses} {
		for _, c := range set {
			all = append(all, Running{Container: c.Name, Image: c.Image, ImageID: c.ImageID})
		}
	}
	return all
}

// scaler takes an autoscaler's target only for what it says it is: a Deployment of another
// group than apps is nobody's, and would shield one that is called the same.
func scaler(m metav1.ObjectMeta, target autoscalingv2.CrossVersionObjectReference, minimum *int32) *Scaler {
	s := &Scaler{Kind: Kind(target.Kind), Name: target.Name, Min: 1}
	if group, _, _ := strings.Cut(target.APIVersion, "/"); group != "apps" {
		s.Kind = Kind(target.APIVersion + " " + target.Kind)
	}
	if minimum != nil {
		s.Min = *minimum
	}
	for _, owner := range m.OwnerReferences {
		if owner.Controller != nil && *owner.Controller {
			s.Foreign = owner.Kind
		}
	}
	return s
}

func stored(status corev1.NodeStatus) *Stored {
	runtime, _, _ := strings.Cut(status.NodeInfo.ContainerRuntimeVersion, "://")
	s := &Stored{Runtime: runtime, Platform: unique.Make(status.NodeInfo.OperatingSystem + "/" + status.NodeInfo.Architecture).Value(), Bytes: map[string]int64{}}
	for _, image := range status.Images {
		for _, name := range image.Names {
			s.Bytes[unique.Make(name).Value()] = image.SizeBytes // every node repeats the names
		}
	}
	return s
}
