package rule

import "github.com/k8guard/k8guard/internal/entity"

// Set is a [Related] over what was read at once: manifests, or a list of a cluster. It does
// not change after it was made.
type Set struct {
	unread map[entity.Kind]bool
	all    map[entity.Kind]map[string][]entity.Entity
}

// NewSet keeps the entities, slim. The kinds in unread were not read, or not completely;
// of every other kind the set is all that there is.
func NewSet(entities []entity.Entity, unread ...entity.Kind) *Set {
	s := &Set{unread: map[entity.Kind]bool{}, all: map[entity.Kind]map[string][]entity.Entity{}}
	for _, k := range unread {
		s.unread[k] = true
	}
	for _, e := range entities {
		if s.all[e.Kind] == nil {
			s.all[e.Kind] = map[string][]entity.Entity{}
		}
		place := Place(e)
		s.all[e.Kind][place] = append(s.all[e.Kind][place], e.Slim())
	}
	return s
}

// Place is the namespace under which [Related.List] finds an entity.
func Place(e entity.Entity) string {
	if e.Kind == entity.Namespace {
		return ""
	}
	return e.Namespace
}

// List implements [Related].
func (s *Set) List(kind entity.Kind, namespace string) ([]entity.Entity, bool) {
	return s.all[kind][namespace], !s.unread[kind]
}

// Node implements [Related].
func (s *Set) Node(name string) (node entity.Entity, found, known bool) {
	for _, n := range s.all[entity.Node][""] {
		if n.Name == name {
			return n, true, !s.unread[entity.Node]
		}
	}
	return entity.Entity{}, false, !s.unread[entity.Node]
}
