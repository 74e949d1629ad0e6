package discover

import (
	"cmp"
	"context"
	"slices"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/entity"
)

// unjudged stands for the hash of what exists but of which nothing can be said. No
// observation has it, so a docket from before is neither confirmed nor closed.
const unjudged = "ignored"

// publish stamps an observation and hands it to the bus.
func (d *Discover) publish(ctx context.Context, o *v1.Observation) error {
	o.V, o.Cluster, o.Order, o.At = v1.Version, d.settings.Cluster, d.next(), d.settings.Now()
	if err := d.settings.Bus.Publish(ctx, v1.Message{Observation: o}); err != nil {
		return err
	}
	d.metrics.published.WithLabelValues(string(o.State)).Inc()
	return nil
}

func (d *Discover) next() v1.Order {
	d.seq++
	return v1.Order{Epoch: d.settings.Epoch, Seq: d.seq}
}

// inventories publishes one inventory for each bucket, also for the empty ones: what they
// held may be gone. While no kind is complete they name none, and count
// nothing: that alone must be known.
func (d *Discover) inventories(ctx context.Context) error {
	kinds := d.completeKinds()
	buckets, judged, violating := d.sightings(kinds)
	missing := d.Status().Missing()
	for bucket, roots := range buckets {
		message := v1.Message{Inventory: &v1.Inventory{V: v1.Version, Cluster: d.settings.Cluster, Bucket: bucket,
			Order: d.next(), At: d.settings.Now(), Kinds: kinds, Roots: roots, Judged: judged,
			Violating: violating, Missing: missing}}
		if err := d.settings.Bus.Publish(ctx, message); err != nil {
			return err
		}
	}
	return nil
}

// sightings sorts the live roots of the complete kinds into buckets. A root whose kind is
// not complete is neither sighted nor gone; what is ignored is sighted, and
// not counted. Nothing is counted unless all was read: no act follows a share of a part.
func (d *Discover) sightings(kinds []string) (buckets [][]v1.Sighting, judged, violating int) {
	buckets = make([][]v1.Sighting, docket.Buckets)
	for i := range buckets {
		buckets[i] = []v1.Sighting{}
	}
	sight := func(uid, hash string) {
		bucket := docket.Key{Cluster: d.settings.Cluster.UID, Root: uid}.Bucket()
		buckets[bucket] = append(buckets[bucket], v1.Sighting{UID: uid, Hash: hash})
	}
	whole := d.whole(kinds)
	d.mu.Lock()
	if whole {
		judged = len(d.roots)
	}
	for k, s := range d.roots {
		if whole && s.bad() {
			violating++
		}
		if slices.Contains(kinds, string(k.kind)) {
			sight(k.uid, s.hash)
		}
	}
	d.mu.Unlock()
	for _, kind := range kinds {
		d.settings.Watcher.Each(entity.Kind(kind), func(r *cluster.Record) {
			if _, standing := d.rootOf(r); standing == unsaid && !d.known(r) {
				sight(r.UID, unjudged)
			}
		})
	}
	for _, roots := range buckets {
		slices.SortFunc(roots, func(a, b v1.Sighting) int { return cmp.Compare(a.UID, b.UID) })
	}
	return buckets, judged, violating
}

// known reports whether the record is counted as a root.
func (d *Discover) known(r *cluster.Record) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, known := d.roots[key{r.Kind, r.UID}]
	return known
}

// count is the number of live roots of a kind.
func (d *Discover) count(kind entity.Kind) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.counts[kind]
}
