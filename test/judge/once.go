package judge

import (
	"errors"
	"slices"
	"time"

	"github.com/k8guard/k8guard/tools/controlplane/audit"
)

// Once says which roots saw two hard actions of the account: a scale to zero or a deletion
// that took effect or may have. One of unclear end beside another is none of its own where
// both ask for the same object and version, of which the server takes one at most, or where
// the ledger settled it as not done before the other. Without any event of the account it
// fails.
func Once(events []audit.Event, d Dump, account string) error {
	if err := spoke(events, account); err != nil {
		return err
	}
	writes, err := sortWrites(events, account, notItsOwn)
	if err != nil {
		return err
	}
	f := &findings{}
	seen := map[string][]write{}
	all := slices.Concat(writes.done, writes.unclear)
	slices.SortStableFunc(all, func(a, b write) int { return a.began().Compare(b.began()) })
	for _, w := range all {
		uid, hard := w.hard()
		if !hard {
			continue
		}
		if uid == "" {
			f.add("%s names no UID", w)
			continue
		}
		for _, first := range seen[uid] {
			if !d.one(first, w, uid) {
				f.add("%s, after %s: a second hard action on UID %s", w, first, uid)
			}
		}
		seen[uid] = append(seen[uid], w)
	}
	return f.err("hard actions")
}

// Stops counts the hard actions of the account that took effect, by the object's UID.
func Stops(events []audit.Event, account string) (map[string]int, error) {
	writes, err := sortWrites(events, account, notItsOwn)
	if err != nil {
		return nil, err
	}
	all := map[string]int{}
	for _, w := range writes.done {
		if uid, hard := w.hard(); hard {
			all[uid]++
		}
	}
	return all, nil
}

// one reports whether two hard writes on an object had at most one effect.
func (d Dump) one(a, b write, uid string) bool {
	if a.succeeded() && b.succeeded() {
		return false
	}
	return a.version() != "" && a.version() == b.version() ||
		!a.succeeded() && d.settled(uid, a.began(), b.began())
}

// settled reports whether the ledger ended an act on this object as not done meanwhile.
func (d Dump) settled(uid string, from, to time.Time) bool {
	root := d.root(uid)
	return slices.ContainsFunc(d.History, func(l Line) bool {
		return l.Root == root && (l.Kind == "fenced" || l.Kind == "refused") && l.Data["enforcement"] != "" &&
			!l.At.Before(from) && !l.At.After(to)
	})
}

// root is the key of the docket that an object belongs to; its UID where there is none.
func (d Dump) root(uid string) string {
	for _, x := range d.Dockets {
		if x.Root.UID == uid || slices.Contains(x.Aliases, uid) {
			return x.Key.Root
		}
	}
	return uid
}

// Discover says what discover's account wrote beyond its own Lease. Without any event of
// the account it fails.
func Discover(events []audit.Event, account string) error {
	if err := spoke(events, account); err != nil {
		return err
	}
	f := &findings{}
	for _, e := range audit.Writes(events, account) {
		o := e.ObjectRef
		lease := o.Resource == "leases" && o.Namespace == "k8guard" && o.Name == "k8guard-discover"
		if !lease && !review(e) {
			f.add("discover's account wrote: %s", write{Event: e})
		}
	}
	return f.err("discover's account")
}

// review reports whether a request only asks who or what one is allowed to be.
func review(e audit.Event) bool {
	switch e.ObjectRef.Resource {
	case "selfsubjectreviews", "selfsubjectaccessreviews", "selfsubjectrulesreviews":
		return true
	}
	return false
}

// notItsOwn leaves out what is no act on others: Events, action's Lease, reviews.
func notItsOwn(e audit.Event) bool {
	o := e.ObjectRef
	lease := o.Resource == "leases" && o.Namespace == "k8guard" && o.Name == "k8guard-action" && e.Verb == "update"
	return !lease && o.Resource != "events" && !review(e)
}

func spoke(events []audit.Event, account string) error {
	for _, e := range events {
		if e.User.Name == account {
			return nil
		}
	}
	return errors.New("judge: the audit log has no event of " + account + ", so nothing can be concluded from it")
}
