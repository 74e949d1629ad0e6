package cluster

import (
	"sync"
	"time"

	"k8s.io/client-go/tools/cache"

	"github.com/k8guard/k8guard/internal/entity"
)

// store takes one kind from its reflector: it implements cache.TransformingStore and
// cache.ReflectorBookmarkStore, so that the reflector's own first list holds records only.
type store struct {
	kind     entity.Kind
	settings Settings
	handler  Handler

	mu      sync.RWMutex
	records map[string]*Record // by UID
	state   Status
	listErr error
	openErr error
	lists   patience
	opens   patience
	stream  bool // the list to come is the beginning of the watch itself
}

func newStore(kind entity.Kind, s Settings) *store {
	return &store{kind: kind, settings: s, records: map[string]*Record{}, state: Status{Kind: kind}}
}

// Transformer slims an object before the reflector keeps it.
func (s *store) Transformer() cache.TransformFunc {
	return func(object any) (any, error) { return s.record(object) }
}

// Add takes a new object.
func (s *store) Add(object any) error { return s.put(object) }

// Update takes a changed object.
func (s *store) Update(object any) error { return s.put(object) }

func (s *store) put(object any) error {
	is, err := s.record(object)
	if err != nil {
		return err
	}
	s.mu.Lock()
	was := s.records[is.UID]
	s.records[is.UID] = is
	s.state.LastEvent = s.settings.Now()
	s.mu.Unlock()
	s.handler.Changed(was, is)
	return nil
}

// Delete forgets an object. Its last state is not judged again.
func (s *store) Delete(object any) error {
	uid, err := uidOf(object)
	if err != nil {
		return err
	}
	s.mu.Lock()
	was := s.records[uid]
	delete(s.records, uid)
	s.state.LastEvent = s.settings.Now()
	s.mu.Unlock()
	if was != nil {
		s.handler.Changed(was, nil)
	}
	return nil
}

// Replace takes a complete list: what is absent from it is gone.
func (s *store) Replace(objects []any, _ string) error {
	fresh := make(map[string]*Record, len(objects))
	for _, object := range objects {
		r, err := s.record(object)
		if err != nil {
			return err
		}
		fresh[r.UID] = r
	}
	s.mu.Lock()
	old := s.records
	s.records = fresh
	s.state.LastEvent = s.settings.Now()
	s.mu.Unlock()
	for uid, was := range old {
		if fresh[uid] == nil {
			s.handler.Changed(was, nil)
		}
	}
	for uid, is := range fresh {
		if was := old[uid]; was == nil || was.ResourceVersion != is.ResourceVersion {
			s.handler.Changed(was, is)
		}
	}
	s.note(func() {
		s.state.Listed, s.listErr, s.lists = true, nil, patience{}
		if s.stream {
			s.openErr = nil
		}
	})
	return nil
}

// Resync does nothing: no timer repeats what a watch told.
func (s *store) Resync() error { return nil }

// Bookmark is a sign of life from a watch on which nothing changes.
func (s *store) Bookmark(string) error {
	s.note(func() { s.state.LastEvent = s.settings.Now() })
	return nil
}

func (s *store) get(uid string) *Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.records[uid]
}

func (s *store) all() []*Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	records := make([]*Record, 0, len(s.records))
	for _, r := range s.records {
		records = append(records, r)
	}
	return records
}

// Status is how the watch of one kind stands.
type Status struct {
	Kind entity.Kind
	// Listed is true once a whole list was read, also when the watch fails later.
	Listed bool
	// Complete is true when Listed, and nothing failed since: only then is an absent object
	// gone.
	Complete bool
	// LastEvent is when the watch last showed life: an event, a bookmark, an opening.
	LastEvent time.Time
	// Err is why the kind cannot be read now; nil when it can.
	Err error
}

// Failing reports whether the kind cannot be read now.
func (s Status) Failing() bool { return s.Err != nil }
