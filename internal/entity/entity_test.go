package entity_test

import (
	"reflect"
	"strconv"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/internal/entity"
)

func deployment(spec corev1.PodSpec, replicas *int32) *appsv1.Deployment {
	d := &appsv1.Deployment{}
	d.Namespace, d.Name = "shop", "web"
	d.Spec.Replicas, d.Spec.Template.Spec = replicas, spec
	return d
}

func TestEveryContainerCounts(t *testing.T) {
	spec := corev1.PodSpec{
		InitContainers:      []corev1.Container{{Name: "init"}},
		Containers:          []corev1.Container{{Name: "app"}, {Name: "side"}},
		EphemeralContainers: []corev1.EphemeralContainer{{EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "debug"}}},
	}
	e, err := entity.From(deployment(spec, nil))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for c := range e.Containers() {
		got[c.Name] = c.Path
	}
	want := map[string]string{"init": "spec.template.spec.initContainers[0]", "app": "spec.template.spec.containers[0]",
		"side": "spec.template.spec.containers[1]", "debug": "spec.template.spec.ephemeralContainers[0]"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestDormantIsZeroOnly(t *testing.T) {
	for replicas, want := range map[*int32]string{nil: "", ptr.To[int32](1): "", ptr.To[int32](0): "scaled to zero"} {
		e, err := entity.From(deployment(corev1.PodSpec{}, replicas))
		if err != nil || e.Dormant() != want {
			t.Errorf("%v replicas: dormant %q, want %q (%v)", replicas, e.Dormant(), want, err)
		}
	}
}

func TestLostNamesWhatDiesWithThePods(t *testing.T) {
	volumes := []corev1.Volume{
		{Name: "cache", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		{Name: "data", VolumeSource: corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{}}},
		{Name: "scratch", VolumeSource: corev1.VolumeSource{Ephemeral: &corev1.EphemeralVolumeSource{}}},
	}
	e, _ := entity.From(deployment(corev1.PodSpec{Volumes: volumes}, nil))
	if got, want := e.Lost(), []string{"emptyDir cache", "ephemeral volume scratch"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i := range 30 {
		volumes = append(volumes, corev1.Volume{Name: strconv.Itoa(i), VolumeSource: volumes[0].VolumeSource})
	}
	e, _ = entity.From(deployment(corev1.PodSpec{Volumes: volumes}, nil))
	if got := e.Lost(); len(got) != 11 || got[10] != "and more" {
		t.Errorf("a hostile number of volumes: %v", got)
	}
}

func TestOtherKindsAreNamed(t *testing.T) {
	if _, err := entity.From(&corev1.Secret{}); err == nil {
		t.Error("a Secret was read")
	}
}
