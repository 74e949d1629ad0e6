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

// pushGrandchildren has the pods of a Deployment that came or went evaluated: they may be
// roots now, or no longer.
func (d *Discover) pushGrandchildren(uid string) {
	for _, set := range d.childrenOf(uid) {
		for _, pod := range d.childrenOf(set.UID) {
			d.push(pod.Kind, pod.UID)
		}
	}
}

func (d *Discover) changedSet(was, is *cluster.Record) {
	if was != nil && is != nil && sameChain(was, is) {
		return
	}
	for _, r := range []*cluster.Record{was, is} {
		if r == nil {
			continue
		}
		for _, pod := range d.childrenOf(r.UID) {
			d.push(pod.Kind, pod.UID)
		}
		if r.Controller.UID != "" {
			d.push(entity.Deployment, r.Controller.UID)
		}
	}
}

// sameChain spares the work of a ReplicaSet's many changes of status. A selector cannot
// change.
func sameChain(was, is *cluster.Record) bool {
	return was.Controller == is.Controller && was.TemplateHash == is.TemplateHash
}

func (d *Discover) changedPod(was, is *cluster.Record) {
	if was != nil && is != nil && was.Over == is.Over && was.Controller == is.Controller && was.Judgement == is.Judgement {
		return
	}
	for _, r := range []*cluster.Record{was, is} {
		if r == nil {
			continue
		}
		d.push(entity.Pod, r.UID)
		if deployment, _ := d.owner(r); deployment != nil {
			d.push(entity.Deployment, deployment.UID)
		}
	}
}
