package discover

import (
	"maps"
	"slices"

	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// mode is how a kind of root can be judged.
type mode struct {
	ready  bool // it can be judged at all
	pods   bool // live pods are known, for a kind that makes them
	owners bool // the namespaces' annotations are known
	above  int  // how many of the kinds that may stand above it are known
	reads  int  // how many of the kinds that its rules look up are known
}

// mode waits for each kind that a root needs until it is listed, or known to be unreadable.
func (d *Discover) mode(kind entity.Kind) mode {
	s := d.settings.Watcher.Status
	settled := func(k entity.Kind) bool { return s(k).Listed || s(k).Failing() }
	m := mode{ready: s(kind).Listed && settled(entity.Namespace), owners: s(entity.Namespace).Listed}
	if makesPods(kind) {
		m.pods = true
		for _, k := range below(kind) {
			m.ready, m.pods = m.ready && settled(k), m.pods && s(k).Listed
		}
	}
	for _, k := range above(kind) {
		m.ready = m.ready && settled(k)
		if s(k).Listed {
			m.above++
		}
	}
	for _, k := range d.reads(kind) {
		m.ready = m.ready && settled(k)
		if d.readable(k) {
			m.reads++
		}
	}
	return m
}

// makesPods reports whether a root of the kind has live pods beside its template.
func makesPods(kind entity.Kind) bool {
	return kind != entity.Pod && slices.Contains(entity.Workloads(), kind)
}

// below lists the kinds that a root of the kind is judged by, beside its own.
func below(kind entity.Kind) []entity.Kind { return append(between(kind), entity.Pod) }

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
	// What became readable since the sweep may stand otherwise now than it was swept.
	if !swept.ready || swept != d.mode(kind) || !d.heard(kind) {
		return false
	}
	// What cannot be read decides nothing: a claim to it leaves its object in the inventory.
	silent := func(k entity.Kind) bool { return d.settings.Watcher.Status(k).Listed && !d.heard(k) }
	if slices.ContainsFunc(above(kind), silent) {
		return false
	}
	return !makesPods(kind) || !swept.pods || !slices.ContainsFunc(below(kind), func(k entity.Kind) bool { return !d.heard(k) })
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
	return len(kinds) == len(entity.Kinds()) && !slices.ContainsFunc(entity.Kinds(), func(k entity.Kind) bool { return !d.heard(k) })
}

// StatusChanged is called by the watcher.
func (d *Discover) StatusChanged(entity.Kind) { d.queue.Add(task{op: sweep}) }

// Changed is called by the watcher for each change of a record.
func (d *Discover) Changed(was, is *cluster.Record) {
	d.index(was, is)
	d.changedRelated(was, is)
	record := one(was, is)
	if slices.Contains(entity.Related(), record.Kind) {
		return
	}
	switch record.Kind {
	case entity.Namespace:
		d.push(record.Kind, record.UID)
		if was == nil || is == nil || was.OwnerAnnotation != is.OwnerAnnotation || was.ChatAnnotation != is.ChatAnnotation || !maps.Equal(labelsOf(was), labelsOf(is)) {
			d.pushNamespace(record.Name)
		}
	case entity.Pod:
		d.changedPod(was, is)
	default:
		d.push(record.Kind, record.UID)
		d.changedMaker(was, is)
	}
}

// labelsOf are a Namespace's labels, by which teams may own it.
func labelsOf(r *cluster.Record) map[string]string {
	if r.Judgement == nil {
		return nil
	}
	return r.Judgement.Labels
}

func (d *Discover) push(kind entity.Kind, uid string) {
	d.queue.Add(task{op: evaluate, key: key{kind, uid}})
}
