package discover

import (
	"context"
	"time"

	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

const (
	// hintsAtOnce bounds the hints that wait, hintPause is how long they do: to find an object
	// by its name is a pass over all of its kind, and a flood of hints shall not buy more of them.
	hintsAtOnce = 1000
	hintPause   = time.Second
)

type spot struct{ namespace, name string }

// hints gathers what strangers say is worth another look, until one look serves them all.
type hints struct {
	from   <-chan bus.Hint
	wanted map[entity.Kind]map[spot]bool
	n      int
	due    <-chan time.Time
}

// more yields the next hint; nobody is heard while as many wait as may.
func (w *hints) more() <-chan bus.Hint {
	if w.n >= hintsAtOnce {
		return nil
	}
	return w.from
}

func (w *hints) add(h bus.Hint) {
	if w.n++; w.due == nil {
		w.wanted, w.due = map[entity.Kind]map[spot]bool{}, time.After(hintPause)
	}
	for _, kind := range hinted(h.Kind) {
		if w.wanted[kind] == nil {
			w.wanted[kind] = map[spot]bool{}
		}
		at := spot{h.Namespace, h.Name}
		if kind == entity.Namespace { // it lies in itself, whatever is said
			at.namespace = h.Name
		}
		w.wanted[kind][at] = true
	}
}

// take empties it.
func (w *hints) take() map[entity.Kind]map[spot]bool {
	wanted := w.wanted
	w.wanted, w.n, w.due = nil, 0, nil
	return wanted
}

// look has the roots of objects judged again, of those that are there. Nothing else that a
// hint says is believed.
func (d *Discover) look(wanted map[entity.Kind]map[spot]bool) {
	for kind, places := range wanted {
		var found []*cluster.Record
		d.settings.Watcher.Each(kind, func(r *cluster.Record) {
			if places[spot{r.Namespace, r.Name}] {
				found = append(found, r)
			}
		})
		for _, r := range found {
			if root, _ := d.topOf(r); root != nil {
				d.queue.Add(task{op: another, key: key{root.Kind, root.UID}})
			}
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

// lookAgain says a root once more of which something was said or is wrong; of one that is
// clean there is nothing to say.
func (d *Discover) lookAgain(ctx context.Context, k key) error {
	d.mu.Lock()
	s := d.roots[k]
	d.mu.Unlock()
	return d.evaluate(ctx, k, s.published != nil || s.bad())
}
