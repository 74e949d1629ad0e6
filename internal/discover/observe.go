package discover

import (
	"context"
	"slices"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// evaluate brings what is published of one root up to date.
func (d *Discover) evaluate(ctx context.Context, k key, requested bool) error {
	mode := d.mode(k.kind)
	if !mode.ready {
		return nil
	}
	record := d.settings.Watcher.Get(k.kind, k.uid)
	why, standing := d.rootOf(record)
	switch standing {
	case unsaid:
		return nil // it exists, and nothing is said of it: what is known of it goes stale
	case noRoot:
		return d.gone(ctx, k, record, requested)
	}
	o := d.observation(record, why, mode)
	d.mu.Lock()
	before, seen := d.roots[k]
	d.mu.Unlock()
	after := state{hash: o.Hash, published: before.published, generation: record.Generation, findings: findingsOf(o)}
	if requested || (before.hash != o.Hash && (before.published != nil || matters(o))) {
		if err := d.publish(ctx, &o); err != nil {
			return err
		}
		root := o.Root
		after.published = &root
		if seen && before.generation != record.Generation {
			d.queue.AddAfter(task{op: answer, key: key{uid: k.uid}, generation: record.Generation}, d.settings.Again)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.roots[k] = after
	d.census.moveLocked(k.kind, before.findings, after.findings)
	if !seen {
		d.counts[k.kind]++
	}
	return nil
}

// standing is whether an object is a root of its own.
type standing int

const (
	noRoot standing = iota // absent, over, or part of another root
	isRoot
	unsaid // not under audit, or what it claims to belong to was not read: it is not gone
)

// rootOf says how the record stands, and remarks on a claim of ownership that does not hold.
func (d *Discover) rootOf(record *cluster.Record) (remark string, s standing) {
	switch {
	case record == nil:
		return "", noRoot
	case record.Judgement == nil:
		return "", unsaid
	case record.Over:
		return "", noRoot
	}
	c := d.claimOf(record)
	switch {
	case c.open:
		return "", unsaid
	case c.parent != nil:
		return "", noRoot
	}
	return unverified(record, c.why), isRoot
}

// gone forgets a root, and says so if it was ever spoken of and the loss is certain.
func (d *Discover) gone(ctx context.Context, k key, record *cluster.Record, requested bool) error {
	d.mu.Lock()
	before, seen := d.roots[k]
	d.mu.Unlock()
	if !d.complete(k.kind) {
		return nil // the next inventory after the recovery closes it
	}
	root := before.published
	if root == nil && requested && record != nil {
		r := record.Root()
		root = &r
	}
	if root != nil {
		if err := d.publishGone(ctx, *root); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if seen {
		delete(d.roots, k)
		d.census.moveLocked(k.kind, before.findings, nil)
		d.counts[k.kind]--
	}
	return nil
}

func (d *Discover) publishGone(ctx context.Context, root v1.Root) error {
	o := v1.Observation{Root: root, State: v1.Gone, Verdicts: []v1.Verdict{}}
	o.Hash = hash(o, 0)
	return d.publish(ctx, &o)
}

func (d *Discover) observation(r *cluster.Record, remark string, m mode) v1.Observation {
	verdicts := slices.Concat(r.Judgement.Verdicts, d.relatedVerdicts(r))
	noPods := false
	switch {
	case !makesPods(r.Kind):
	case m.pods:
		pods, any := d.podVerdicts(r)
		verdicts, noPods = join(verdicts, pods), !any
	default:
		verdicts = join(verdicts, d.unread())
	}
	who, byRule := d.settings.Owners(d.namespace(r), r)
	o := v1.Observation{Root: r.Root(), State: v1.Live, GenerateName: r.GenerateName, ServiceAccount: r.ServiceAccount, Created: r.Created, Dormant: r.Dormant, NoPods: noPods, Lost: r.Lost,
		Owner: who, Owners: byRule, Verdicts: tidy(verdicts, remark)}
	o.Hash = hash(o, r.Generation)
	return o
}

// podVerdicts returns the judgements of the root's live pods, equal ones once, and whether
// there was any pod.
func (d *Discover) podVerdicts(root *cluster.Record) (found []v1.Verdict, any bool) {
	type look struct { // what tells pods apart, for rules
		judgement *cluster.Judgement
		node      string
		running   cluster.Running
	}
	alone, seen := map[*cluster.Judgement]bool{}, map[look]bool{}
	take := func(pod *cluster.Record) {
		l := look{pod.Judgement, pod.Node, pod.Running}
		if pod.Kind != entity.Pod || pod.Over || pod.Judgement == nil || seen[l] {
			return
		}
		if top, _ := d.topOf(pod); top == nil || top.UID != root.UID {
			return
		}
		any = true
		if !alone[l.judgement] {
			found = append(found, pod.Judgement.Verdicts...)
		}
		alone[l.judgement], seen[l] = true, true
		found = append(found, d.relatedVerdicts(pod)...)
	}
	for _, child := range d.childrenOf(root.UID) {
		if child.Kind == entity.Pod {
			take(child)
			continue
		}
		for _, pod := range d.childrenOf(child.UID) {
			take(pod)
		}
	}
	return found, any
}

// unread says of every rule about pods that the live pods could not be read.
func (d *Discover) unread() []v1.Verdict {
	var all []v1.Verdict
	for _, m := range d.settings.Engine.Rules() {
		if slices.Contains(m.Kinds, entity.Pod) {
			all = append(all, v1.Verdict{Rule: m.ID, Version: m.Version(), Severity: string(m.Severity),
				State: v1.Unknown, Reason: "the live pods could not be read"})
		}
	}
	return all
}

func (d *Discover) namespace(r *cluster.Record) *cluster.Record {
	if r.Kind == entity.Namespace {
		return r
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.namespaces[r.Namespace]
}

func matters(o v1.Observation) bool {
	return slices.ContainsFunc(o.Verdicts, func(v v1.Verdict) bool { return v.State != v1.Pass })
}
