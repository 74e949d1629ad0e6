package cassandra

import (
	"testing"

	"github.com/k8guard/k8guard/internal/docket"
)

// What is remembered serves once, and only who wants just that.
func TestRecall(t *testing.T) {
	key, other := docket.Key{Cluster: "c", Root: "a"}, docket.Key{Cluster: "c", Root: "b"}
	var r recall
	at := func(version int64) cover { return cover{head: head{version: version}, stamp: 10 * version} }
	if _, known := r.take(key, 0); known {
		t.Error("something was known at first")
	}
	r.put(key, at(3))
	r.put(other, at(3))
	if c, known := r.take(key, 3); !known || c.stamp != 30 {
		t.Errorf("%+v, %v", c, known)
	}
	if _, known := r.take(key, 3); known {
		t.Error("it served twice")
	}
	if _, known := r.take(other, 4); known {
		t.Error("another version was taken for it")
	}
	for n := range 10_000 { // more than there are places
		r.put(docket.Key{Cluster: "c", Root: string(rune('A' + n))}, at(1))
	}
	if _, known := r.take(key, 1); known {
		t.Error("another docket was taken for it")
	}
}
