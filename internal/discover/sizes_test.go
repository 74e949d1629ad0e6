package discover

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/cache/memory"
	"github.com/k8guard/k8guard/internal/cache/sizes"
)

const contentOfX = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

// holding is a node that reports the images, by name.
func holding(version string, bytes int64, names ...string) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a", UID: "node-a", ResourceVersion: version}}
	n.Status.NodeInfo = corev1.NodeSystemInfo{ContainerRuntimeVersion: "containerd://2.1.0", OperatingSystem: "linux", Architecture: "amd64"}
	for _, name := range names {
		n.Status.Images = append(n.Status.Images, corev1.ContainerImage{Names: []string{name}, SizeBytes: bytes})
	}
	return n
}

func runningX() *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: meta("shop", "p", nil, nil), Spec: spec("registry.example/x"),
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{Name: "main", ImageID: "registry.example/x@" + contentOfX}}}}
	pod.Spec.NodeName = "a"
	return pod
}

// remembering gives discover a book over the store.
func remembering(t *testing.T, store cache.Store) func(*Settings) {
	t.Helper()
	book, err := sizes.New(cache.New(store, "sizes"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { book.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended; book.Close() })
	return func(s *Settings) { s.Sizes = book }
}

func shared(t *testing.T) cache.Store {
	t.Helper()
	store, err := memory.New(1<<20, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// sizeOfX waits for what is said of the pod; before is whether it is of another time.
func sizeOfX(t *testing.T, r *recorder, want v1.VerdictState, before bool) {
	t.Helper()
	eventually(t, "IMAGE_SIZE "+string(want), 10*time.Second, func() bool {
		o, _ := r.of("Pod", "p")
		for _, v := range o.Verdicts {
			if v.Rule != "IMAGE_SIZE" || v.State != want {
				continue
			}
			for _, x := range v.Violations {
				if x.From != v1.FromPod {
					t.Errorf("a size is found in %q: only what a pod shows is for notices alone", x.From)
				}
				if strings.Contains(x.Evidence, "seen on a node before") != before {
					return false
				}
			}
			return true
		}
		return false
	})
}

// inStore waits until the size is where others find it: who asks too early asks again after a
// while only.
func inStore(t *testing.T, store cache.Store) {
	t.Helper()
	eventually(t, "the size is in the cache", 10*time.Second, func() bool {
		_, err := store.Get(t.Context(), "sizes/containerd linux/amd64 "+contentOfX)
		return err == nil
	})
}

// A kubelet forgets the image, and so does this process: another one that never saw a node
// report it knows its size.
func TestASizeSeenOnceServesAfterwards(t *testing.T) {
	store := shared(t)
	client := fake.NewClientset(namespaceNamed("shop"), runningX(), holding("1", 2e9, "registry.example/x@"+contentOfX))
	_, r := run(t, client, nil, wide(t), remembering(t, store))
	sizeOfX(t, r, v1.Violated, false)
	must(client.CoreV1().Nodes().Update(t.Context(), holding("2", 2e9, "registry.example/another:1"), metav1.UpdateOptions{}))
	sizeOfX(t, r, v1.Violated, true)
	inStore(t, store)

	without := func() *fake.Clientset {
		return fake.NewClientset(namespaceNamed("shop"), runningX(), holding("1", 2e9))
	}
	_, r = run(t, without(), nil, wide(t), remembering(t, store))
	sizeOfX(t, r, v1.Violated, true)
	_, r = run(t, without(), nil, wide(t), remembering(t, shared(t)))
	sizeOfX(t, r, v1.Unknown, false)
	_, r = run(t, without(), nil, wide(t), remembering(t, away{}))
	sizeOfX(t, r, v1.Unknown, false)
}

// away is a cache that is down.
type away struct{}

func (away) Get(context.Context, string) ([]byte, error) { return nil, errors.New("away") }
func (away) Put(context.Context, string, []byte) error   { return errors.New("away") }
func (away) Close() error                                { return nil }
