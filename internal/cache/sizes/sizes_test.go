package sizes

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/cache/memory"
	"github.com/k8guard/k8guard/internal/entity"
)

const patience = 20 * time.Second

func digest(letter string) string { return "sha256:" + strings.Repeat(letter, 64) }

func node(bytes map[string]int64) *entity.Stored {
	return &entity.Stored{Runtime: "containerd", Platform: "linux/amd64", Bytes: bytes}
}

// begin runs a book over the store until the test ends.
func begin(t *testing.T, store cache.Store) *Book {
	t.Helper()
	b, err := New(cache.New(store, "sizes"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { b.Run(ctx); close(ended) }()
	t.Cleanup(func() { stop(); <-ended; b.Close() })
	return b
}

func kept(t *testing.T) cache.Store {
	t.Helper()
	s, err := memory.New(8<<20, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// want waits for a size; zero wants that none is known now.
func want(t *testing.T, b *Book, runtime, platform, digest string, bytes int64) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		got, ok := b.Size(runtime, platform, digest)
		if got == bytes && ok == (bytes != 0) {
			return
		}
		if bytes == 0 || time.Now().After(end) {
			t.Fatalf("size of %s on %s %s is %d, %v; want %d", digest, runtime, platform, got, ok, bytes)
		}
		b.near.InvalidateAll() // not in a minute
	}
}

func TestSeenOnceKnownAfter(t *testing.T) {
	known := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, known) })
	store := kept(t)
	one, other := begin(t, store), begin(t, store)
	one.Saw(node(map[string]int64{"registry.example/x@" + digest("a"): 7e9, "registry.example/x:1": 7e9,
		"registry.example/y@" + digest("b"): 0, "registry.example/z@" + digest("c"): most + 1, "w@sha256:short": 1, "u@" + strings.ToUpper(digest("d")): 1}))
	want(t, other, "containerd", "linux/amd64", digest("a"), 7e9)
	for _, no := range [][3]string{
		{"cri-o", "linux/amd64", digest("a")}, {"containerd", "linux/arm64", digest("a")}, {"containerd", "linux/amd64", digest("b")},
		{"containerd", "linux/amd64", digest("c")}, {"containerd", "linux/amd64", "1"}, {"containerd", "linux/amd64", ""}, {"", "", digest("a")},
	} {
		want(t, other, no[0], no[1], no[2], 0)
	}
	one.Saw(nil)
	one.Saw(node(map[string]int64{"registry.example/x@" + digest("a"): 8e9})) // a node's word of now wins
	want(t, one, "containerd", "linux/amd64", digest("a"), 8e9)
	want(t, other, "containerd", "linux/amd64", digest("a"), 8e9)
}

// TestSawDoesNotWait has a cache that hangs, and far more images than there is room for.
func TestSawDoesNotWait(t *testing.T) {
	hang := &hanging{kept(t), make(chan struct{})}
	b := begin(t, hang)
	t.Cleanup(func() { close(hang.until) })
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i := range 2 * waiting {
			b.Saw(node(map[string]int64{"x@sha256:" + fmt.Sprintf("%064x", i): 1}))
		}
	}()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("it waits for the cache")
	}
}

type hanging struct {
	cache.Store
	until chan struct{}
}

func (h *hanging) Put(context.Context, string, []byte) error {
	<-h.until
	return nil
}

func TestLies(t *testing.T) {
	f := fact{"containerd", "linux/amd64", digest("a")}
	for _, lie := range []string{"", "1", f.String(), "1 " + f.String() + " ", "1 " + f.String() + " -1", "1 " + f.String() + " 0", "1 " + f.String() + " 01",
		"1 " + f.String() + " +1", "1 " + f.String() + " 1 ", "1 " + f.String() + " 1e9", "1 " + f.String() + " 99999999999999999999", fmt.Sprint("1 ", f, " ", most+1),
		"2 " + f.String() + " 1", string(encode(fact{"cri-o", f.platform, f.digest}, 1)), string(encode(fact{f.runtime, f.platform, digest("b")}, 1)),
		strings.Repeat("1", 1<<20)} {
		if got, ok := decode(f, []byte(lie)); ok || got != 0 {
			t.Errorf("%.100q is taken for %d", lie, got)
		}
		store := kept(t)
		if len(lie) <= cache.MaxValue {
			if err := store.Put(t.Context(), "sizes/"+f.String(), []byte(lie)); err != nil {
				t.Fatal(err)
			}
		}
		want(t, begin(t, store), f.runtime, f.platform, f.digest, 0)
	}
}

func FuzzDecode(f *testing.F) {
	of := fact{"containerd", "linux/amd64", digest("a")}
	f.Add(encode(of, 7e9))
	f.Add([]byte("1 containerd linux/amd64 " + digest("a") + " 007"))
	f.Add([]byte("\x00\r\nEND\r\n"))
	f.Fuzz(func(t *testing.T, value []byte) {
		bytes, ok := decode(of, value)
		if !ok && bytes != 0 {
			t.Fatalf("%q is nothing, and is %d", value, bytes)
		}
		if ok && (bytes <= 0 || bytes > most || string(encode(of, bytes)) != string(value)) {
			t.Fatalf("%q is taken for %d", value, bytes)
		}
	})
}
