package entity

import (
	"fmt"
	"iter"

	corev1 "k8s.io/api/core/v1"
)

// Container is one container of any sort, with where it stands in its object.
type Container struct {
	Name  string
	Image string
	// Path is the field path of the container, "spec.template.spec.initContainers[0]".
	Path     string
	Security *corev1.SecurityContext
	Mounts   []corev1.VolumeMount
}

// Containers yields every container that runs or may run: init (sidecars among them),
// main, and ephemeral (debug) containers.
func (e Entity) Containers() iter.Seq[Container] {
	return func(yield func(Container) bool) {
		if e.Pod == nil {
			return
		}
		one := func(field string, i int, name, image string, s *corev1.SecurityContext, mounts []corev1.VolumeMount) bool {
			return yield(Container{Name: name, Image: image, Security: s, Mounts: mounts,
				Path: fmt.Sprintf("%s.%s[%d]", e.PodPath, field, i)})
		}
		for i, c := range e.Pod.InitContainers {
			if !one("initContainers", i, c.Name, c.Image, c.SecurityContext, c.VolumeMounts) {
				return
			}
		}
		for i, c := range e.Pod.Containers {
			if !one("containers", i, c.Name, c.Image, c.SecurityContext, c.VolumeMounts) {
				return
			}
		}
		for i, c := range e.Pod.EphemeralContainers {
			if !one("ephemeralContainers", i, c.Name, c.Image, c.SecurityContext, c.VolumeMounts) {
				return
			}
		}
	}
}
