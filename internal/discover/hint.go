package discover

import (
	"context"

	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// hint has the root of an object judged again, if there is such an object. Nothing else that
// a hint says is believed.
func (d *Discover) hint(h bus.Hint) {
	if h.Cluster != "" && h.Cluster != d.settings.Cluster.Name {
		return
	}
	for _, kind := range hinted(h.Kind) {
		r := d.called(kind, h.Namespace, h.Name)
		if r == nil {
			continue
		}
		if root, _ := d.topOf(r); root != nil {
			d.queue.Add(task{op: another, key: key{root.Kind, root.UID}})
		}
	}
}

// hinted are the kinds that a first K8Guard's word means; all of its kinds where it said none.
func hinted(word string) []entity.Kind {
	kinds := map[string]entity.Kind{"namespace": entity.Namespace, "deployment": entity.Deployment, "daemonset": entity.DaemonSet,
		"pod": entity.Pod, "job": entity.Job, "cronjob": entity.CronJob, "ingress": entity.Ingress}
	if kind, ok := kinds[word]; ok {
		return []entity.Kind{kind}
	}
	var all []entity.Kind
	if word == "" {
		for _, kind := range kinds {
			all = append(all, kind)
		}
	}
	return all
}

// called is the record of this name, or nil. The first K8Guard gave a namespace its own name
// as its namespace.
func (d *Discover) called(kind entity.Kind, namespace, name string) (found *cluster.Record) {
	if kind == entity.Namespace {
		d.mu.Lock()
		defer d.mu.Unlock()
		return d.namespaces[name]
	}
	d.settings.Watcher.Each(kind, func(r *cluster.Record) {
		if r.Name == name && r.Namespace == namespace {
			found = r
		}
	})
	return found
}

// lookAgain says a root once more of which something was said or is wrong; of one that is
// clean there is nothing to say.
func (d *Discover) lookAgain(ctx context.Context, k key) error {
	d.mu.Lock()
	s := d.roots[k]
	d.mu.Unlock()
	return d.evaluate(ctx, k, s.published != nil || s.bad())
}
