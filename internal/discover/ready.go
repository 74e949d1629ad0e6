package discover

import (
	"slices"

	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// mode is how a kind of root can be judged.
type mode struct {
	ready  bool // it can be judged at all
	pods   bool // live pods are known, for a Deployment
	owners bool // the namespaces' annotations are known
}

// mode waits for each kind that a root needs until it is listed, or known to be unreadable.
func (d *Discover) mode(kind entity.Kind) mode {
	s := d.settings.Watcher.Status
	ns, pods, sets := s(entity.Namespace), s(entity.Pod), s(cluster.ReplicaSet)
	settled := func(st cluster.Status) bool { return st.Listed || st.Failing() }
	m := mode{ready: s(kind).Listed && settled(ns), owners: ns.Listed}
	switch kind {
	case entity.Deployment:
		m.ready = m.ready && settled(pods) && settled(sets)
		m.pods = pods.Listed && sets.Listed
	case entity.Pod:
		m.ready = m.ready && sets.Listed && s(entity.Deployment).Listed
	}
	return m
}

// heard reports whether a kind is read completely and its watch shows life. A connection
// that is open at our end only stays silent, and what it does not tell is not so.
func (d *Discover) heard(kind entity.Kind) bool {
	st := d.settings.Watcher.Status(kind)
	return st.Complete && d.settings.Now().Sub(st.LastEvent) <= d.settings.StaleAfter
}

// complete reports whether an absent root of the kind is gone: all that decides it was
// read, judged, and is being watched now.
func (d *Discover) complete(kind entity.Kind) bool {
	d.mu.Lock()
	swept := d.swept[kind]
	d.mu.Unlock()
	chain := d.heard(entity.Pod) && d.heard(cluster.ReplicaSet)
	switch kind {
	case entity.Pod:
		return swept.ready && chain && d.heard(entity.Deployment)
	case entity.Deployment:
		return swept.ready && d.heard(kind) && (chain || !swept.pods)
	}
	return swept.ready && d.heard(kind)
}

func (d *Discover) completeKinds() []string {
	kinds := []string{}
	for _, kind := range entity.Kinds() {
		if d.complete(kind) {
			kinds = append(kinds, string(kind))
		}
	}
	return kinds
}

// whole reports whether everything is read: only then is a count of roots the cluster's.
func (d *Discover) whole(kinds []string) bool {
	return len(kinds) == len(entity.Kinds()) && !slices.ContainsFunc(cluster.Kinds(), func(k entity.Kind) bool { return !d.heard(k) })
}

// StatusChanged is called by the watcher.
func (d *Discover) StatusChanged(entity.Kind) { d.queue.Add(task{op: sweep}) }

// Changed is called by the watcher for each change of a record.
func (d *Discover) Changed(was, is *cluster.Record) {
	d.index(was, is)
	record := is
	if record == nil {
		record = was
	}
	switch record.Kind {
	case entity.Namespace:
		d.push(record.Kind, record.UID)
		if was == nil || is == nil || was.OwnerAnnotation != is.OwnerAnnotation {
			d.pushNamespace(record.Name)
		}
	case entity.Deployment:
		d.push(record.Kind, record.UID)
		if was == nil || is == nil {
			d.pushGrandchildren(record.UID)
		}
	case cluster.ReplicaSet:
		d.changedSet(was, is)
	case entity.Pod:
		d.changedPod(was, is)
	default:
		d.push(record.Kind, record.UID)
	}
}

func (d *Discover) push(kind entity.Kind, uid string) {
	d.queue.Add(task{op: evaluate, key: key{kind, uid}})
}
