package discover

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// place is where records of a kind are found by rules about others.
type place struct {
	kind      entity.Kind
	namespace string
}

// related is what rules may look up about a subject: the records of the watch. It implements
// rule.Related.
type related struct {
	d       *Discover
	subject entity.Entity
}

// List implements rule.Related.
func (r related) List(kind entity.Kind, namespace string) ([]entity.Entity, bool) {
	if !r.d.readable(kind) {
		return nil, false
	}
	r.d.mu.Lock()
	defer r.d.mu.Unlock()
	found := r.d.places[place{kind, namespace}]
	all := make([]entity.Entity, 0, len(found))
	for _, record := range found {
		all = append(all, record.Entity())
	}
	return all, true
}

// Node implements rule.Related.
func (r related) Node(name string) (node entity.Entity, found, known bool) {
	if !r.d.readable(entity.Node) {
		return entity.Entity{}, false, false
	}
	r.d.mu.Lock()
	record := r.d.nodes[name]
	r.d.mu.Unlock()
	if record == nil {
		return entity.Entity{}, false, true
	}
	node = record.Entity()
	node.Stored = r.remembered(node.Stored)
	return node, true, true
}

// remembered adds what was reported before of the images that the subject runs, and that the
// node does not report now. The node's record stays as it is.
func (r related) remembered(on *entity.Stored) *entity.Stored {
	if r.d.settings.Sizes == nil || on == nil {
		return on
	}
	before := map[string]int64{}
	for _, c := range r.subject.Running {
		digest := entity.Digest(c.ImageID)
		if _, now := on.Bytes[c.ImageID]; now || digest == "" {
			continue
		}
		if bytes, ok := r.d.settings.Sizes.Size(on.Runtime, on.Platform, digest); ok {
			before[digest] = bytes
		}
	}
	with := *on
	with.Before = before
	return &with
}

// readable reports whether a kind's records are all there is: it was read, may be read, and its
// watch is not silent.
func (d *Discover) readable(kind entity.Kind) bool {
	st := d.settings.Watcher.Status(kind)
	denied := errors.IsForbidden(st.Err) || errors.IsUnauthorized(st.Err)
	return st.Listed && !denied && d.settings.Now().Sub(st.LastEvent) <= d.settings.StaleAfter
}

// reads lists what the rules about a kind of root look up, those about its pods too.
func (d *Discover) reads(kind entity.Kind) []entity.Kind {
	all := d.settings.Engine.Reads(kind)
	if makesPods(kind) {
		all = append(all, d.settings.Engine.Reads(entity.Pod)...)
	}
	return all
}

// indexRelated keeps the records that rules look up. The lock is held.
func (d *Discover) indexRelated(was, is *cluster.Record) {
	if r := one(was, is); !d.looked[r.Kind] {
		return
	}
	if was != nil {
		at := placeOf(was)
		delete(d.places[at], was.UID)
		if len(d.places[at]) == 0 {
			delete(d.places, at)
		}
		if was.Kind == entity.Node && d.nodes[was.Name] == was {
			delete(d.nodes, was.Name)
		}
	}
	if is == nil || is.Over {
		return
	}
	if is.Kind == entity.Node {
		d.nodes[is.Name] = is
		if d.settings.Sizes != nil {
			d.settings.Sizes.Saw(is.Stored)
		}
		return
	}
	at := placeOf(is)
	if d.places[at] == nil {
		d.places[at] = map[string]*cluster.Record{}
	}
	d.places[at][is.UID] = is
}

func one(was, is *cluster.Record) *cluster.Record {
	if is != nil {
		return is
	}
	return was
}

func placeOf(r *cluster.Record) place {
	if r.Kind == entity.Namespace {
		return place{r.Kind, ""}
	}
	return place{r.Kind, r.Namespace}
}

// changedRelated has everything evaluated that a rule may judge otherwise now.
func (d *Discover) changedRelated(was, is *cluster.Record) {
	r := one(was, is)
	if !d.looked[r.Kind] {
		return
	}
	came := was == nil || is == nil || was.Over != is.Over
	switch r.Kind {
	case entity.Node:
		if came || !was.Stored.Equal(is.Stored) {
			d.pushNode(r.Name)
		}
	case entity.HorizontalPodAutoscaler:
		for _, hpa := range []*cluster.Record{was, is} {
			if hpa != nil && (came || *was.Scaler != *is.Scaler) {
				d.pushNamed(hpa.Scaler.Kind, hpa.Namespace, hpa.Scaler.Name)
			}
		}
	case entity.Namespace:
		if came {
			d.pushNamed(entity.Namespace, metav1.NamespaceSystem, metav1.NamespaceSystem)
		}
	default:
		if came {
			d.pushNamed(entity.Namespace, r.Namespace, r.Namespace)
		}
	}
}

func (d *Discover) pushNamed(kind entity.Kind, namespace, name string) {
	if !slices.Contains(entity.Kinds(), kind) { // an autoscaler may name anything
		return
	}
	if kind == entity.Namespace {
		if r := d.namespaceCalled(name); r != nil {
			d.push(kind, r.UID)
		}
		return
	}
	d.settings.Watcher.Each(kind, func(r *cluster.Record) {
		if r.Namespace == namespace && r.Name == name {
			d.push(kind, r.UID)
		}
	})
}

// pushNode has the roots of the pods on a node evaluated.
func (d *Discover) pushNode(name string) {
	d.settings.Watcher.Each(entity.Pod, func(r *cluster.Record) {
		if r.Node == name {
			d.push(entity.Pod, r.UID)
			d.pushAbove(r)
		}
	})
}

func (d *Discover) namespaceCalled(name string) *cluster.Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.namespaces[name]
}

// relatedVerdicts judges a record by the rules that look at others too.
func (d *Discover) relatedVerdicts(r *cluster.Record) []v1.Verdict {
	if !d.settings.Engine.LooksAround(r.Kind) {
		return nil // nothing is unpacked for nobody
	}
	from := v1.FromTemplate
	if r.Kind == entity.Pod {
		from = v1.FromPod
	}
	subject := r.Entity()
	verdicts := d.settings.Engine.JudgeRelated(subject, related{d, subject}, from)
	if !d.standsForAll(r.Kind, r.Name) {
		return verdicts
	}
	return slices.DeleteFunc(verdicts, func(v v1.Verdict) bool {
		m, _ := d.settings.Engine.Find(v.Rule)
		return !slices.Contains(m.Reads, entity.Namespace)
	})
}

// standsForAll reports whether this is kube-system, ignored itself, where a rule about which
// namespaces there are needs it: what the cluster lacks has no other root.
func (d *Discover) standsForAll(kind entity.Kind, name string) bool {
	return kind == entity.Namespace && name == metav1.NamespaceSystem && d.ignored[name] && d.looked[entity.Namespace]
}

var _ rule.Related = related{}
