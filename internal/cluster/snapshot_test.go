package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"

	"github.com/k8guard/k8guard/internal/entity"
)

func TestLookNamesWhatMayNotBeListed(t *testing.T) {
	client := fake.NewClientset(
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "shop"}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "b", Namespace: "other"}})
	client.PrependReactor("list", "ingresses", func(k8stesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(networkingv1.Resource("ingresses"), "", errors.New("no"))
	})
	s, err := Look(t.Context(), client, "shop", []entity.Kind{entity.Node})
	if err != nil || len(s.Entities) != 2 || len(s.Unread) != 1 {
		t.Fatalf("%+v, %v", s, err)
	}
	if why := s.Unread[entity.Ingress]; why == nil || !strings.Contains(why.Error(), "may not list ingresses.networking.k8s.io") {
		t.Errorf("unread: %v", why)
	}
	for _, a := range client.Actions() {
		if a.GetVerb() != "list" {
			t.Errorf("a look that is read-only did %s %s", a.GetVerb(), a.GetResource().Resource)
		}
	}
}

// A list in two pages is read to its end; one that expires between them begins again, once.
func TestLookReadsEveryPage(t *testing.T) {
	calls, expired := 0, false
	client := fake.NewClientset()
	client.PrependReactor("list", "pods", func(a k8stesting.Action) (bool, runtime.Object, error) {
		calls++
		o := a.(k8stesting.ListActionImpl).ListOptions
		pod := func(name string) corev1.Pod { return corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name}} }
		switch {
		case o.Continue == "":
			return true, &corev1.PodList{ListMeta: metav1.ListMeta{Continue: "more"}, Items: []corev1.Pod{pod("a")}}, nil
		case !expired:
			expired = true
			return true, nil, apierrors.NewResourceExpired("compacted")
		}
		return true, &corev1.PodList{Items: []corev1.Pod{pod("b")}}, nil
	})
	s, err := Look(t.Context(), client, "", nil)
	if err != nil || len(s.Entities) != 2 || calls != 4 {
		t.Errorf("%d calls, %+v, %v", calls, s, err)
	}
}

func TestLookEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Look(ctx, fake.NewClientset(), "", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
