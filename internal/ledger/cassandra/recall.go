package cassandra

import (
	"hash/fnv"
	"sync/atomic"

	"github.com/k8guard/k8guard/internal/docket"
)

// recall remembers, of dockets that were loaded last, what their partitions said about
// themselves: the change that mostly follows need not read it again. What it remembers may be
// out of date; then the change's own condition fails, and the docket is loaded anew. Each is
// used once.
type recall [1024]atomic.Pointer[covered]

type covered struct {
	key docket.Key
	cover
}

func (r *recall) slot(key docket.Key) *atomic.Pointer[covered] {
	h := fnv.New32a()
	_, _ = h.Write([]byte(key.String()))
	return &r[h.Sum32()%uint32(len(r))]
}

// put remembers; what else was in the same place is forgotten.
func (r *recall) put(key docket.Key, c cover) { r.slot(key).Store(&covered{key, c}) }

// take returns what is remembered of a docket, if it is of this version, and forgets it.
func (r *recall) take(key docket.Key, version int64) (cover, bool) {
	found := r.slot(key).Swap(nil)
	if found == nil || found.key != key || found.version != version {
		return cover{}, false
	}
	return found.cover, true
}
