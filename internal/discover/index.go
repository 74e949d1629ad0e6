package discover

import (
	"maps"
	"slices"

	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// index keeps the children of each claimed controller.
func (d *Discover) index(was, is *cluster.Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.indexNamespace(was, is)
	d.indexRelated(was, is)
	if was != nil && was.Controller.UID != "" {
		siblings := d.children[was.Controller.UID]
		delete(siblings, was.UID)
		if len(siblings) == 0 {
			delete(d.children, was.Controller.UID)
		}
	}
	if is != nil && is.Controller.UID != "" {
		if d.children[is.Controller.UID] == nil {
			d.children[is.Controller.UID] = map[string]*cluster.Record{}
		}
		d.children[is.Controller.UID][is.UID] = is
	}
}

func (d *Discover) indexNamespace(was, is *cluster.Record) {
	if is != nil && is.Kind == entity.Namespace {
		d.namespaces[is.Name] = is
	} else if was != nil && was.Kind == entity.Namespace && d.namespaces[was.Name] == was {
		delete(d.namespaces, was.Name)
	}
}

func (d *Discover) childrenOf(uid string) []*cluster.Record {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.children[uid]))
}

// pushNamespace has every root of a namespace evaluated again: its owner may be another.
func (d *Discover) pushNamespace(name string) {
	for _, kind := range entity.Kinds() {
		d.settings.Watcher.Each(kind, func(r *cluster.Record) {
			if r.Namespace == name {
				d.push(kind, r.UID)
			}
		})
	}
}

// changedMaker has all above and below a link that came, went or changed evaluated: they may
// be roots now, or no longer. It spares the work of many changes of status; a selector
// cannot change.
func (d *Discover) changedMaker(was, is *cluster.Record) {
	if was != nil && is != nil && was.Controller == is.Controller && was.Made == is.Made && was.Over == is.Over {
		return
	}
	for _, r := range []*cluster.Record{was, is} {
		if r != nil {
			d.pushBelow(r.UID)
			d.pushAbove(r)
		}
	}
}

func (d *Discover) pushBelow(uid string) {
	for _, child := range d.childrenOf(uid) {
		d.push(child.Kind, child.UID)
		if child.Kind != entity.Pod && child.UID != uid {
			for _, pod := range d.childrenOf(child.UID) {
				d.push(pod.Kind, pod.UID)
			}
		}
	}
}

// pushAbove has the root above evaluated, and the claimed controller even if the claim does
// not hold any more.
func (d *Discover) pushAbove(r *cluster.Record) {
	if kind := entity.Kind(r.Controller.Kind); slices.Contains(makers(r.Kind), kind) {
		d.push(kind, r.Controller.UID)
	}
	if root, _ := d.topOf(r); root != nil && root.UID != r.UID {
		d.push(root.Kind, root.UID)
	}
}

func (d *Discover) changedPod(was, is *cluster.Record) {
	if was != nil && is != nil && was.Over == is.Over && was.Controller == is.Controller && was.Judgement == is.Judgement &&
		was.Node == is.Node && was.Running == is.Running {
		return
	}
	for _, r := range []*cluster.Record{was, is} {
		if r == nil {
			continue
		}
		d.push(entity.Pod, r.UID)
		d.pushAbove(r)
	}
}
