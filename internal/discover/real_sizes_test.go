package discover

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/cache/memcached"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// TestARealCacheComesAndGoes shares a size over a real Memcached, and then takes that away in
// both ways: what is judged stays right, and soon nobody waits for the cache.
func TestARealCacheComesAndGoes(t *testing.T) {
	server := servicestest.Start(t, services.Memcached)
	const timeout = time.Second
	open := func(t *testing.T) cache.Store {
		s, err := memcached.New(memcached.Settings{Servers: server.Addresses(), Timeout: timeout, Expiry: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	}
	client := fake.NewClientset(namespaceNamed("shop"), runningX(), holding("1", 2e9, "registry.example/x@"+contentOfX))
	_, r := run(t, client, nil, wide(t), remembering(t, open(t)))
	sizeOfX(t, r, v1.Violated, false)
	without := func() *fake.Clientset {
		return fake.NewClientset(namespaceNamed("shop"), runningX(), holding("1", 2e9))
	}
	inStore(t, open(t))
	_, r = run(t, without(), nil, wide(t), remembering(t, open(t)))
	sizeOfX(t, r, v1.Violated, true)

	const many = 200
	for _, fault := range []struct {
		name string
		do   func(int) error
	}{{"paused", server.Pause}, {"killed", server.Kill}} {
		t.Run(fault.name, func(t *testing.T) {
			if err := fault.do(0); err != nil {
				t.Fatal(err)
			}
			objects := []runtime.Object{namespaceNamed("shop"), holding("1", 2e9)}
			for i := range many {
				pod := runningX()
				pod.ObjectMeta = meta("shop", fmt.Sprint("p", i), nil, nil)
				pod.Spec = spec("bad:1")
				pod.Spec.NodeName = "a"
				pod.Status.ContainerStatuses[0].ImageID = fmt.Sprintf("registry.example/x@sha256:%064x", i)
				objects = append(objects, pod)
			}
			began := time.Now()
			_, r := run(t, fake.NewClientset(objects...), nil, wide(t), remembering(t, open(t)))
			// Asking for each would take many timeouts; three may fail, and then a few each five seconds.
			eventually(t, "all are judged", 60*time.Second, func() bool {
				return len(r.violated()) >= many && r.state("Pod", fmt.Sprint("p", many-1), "IMAGE_SIZE") == v1.Unknown
			})
			t.Logf("%d pods of unknown images were judged in %s", many, time.Since(began).Round(time.Millisecond))
		})
	}
}
