package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	// maxBreakers and maxReason keep the record far from what a ledger takes.
	maxBreakers = 2000
	maxReason   = 500 // bytes
)

// Breaker is one circuit breaker.
type Breaker struct {
	Open     bool      `json:"open"`
	Reason   string    `json:"reason"`
	At       time.Time `json:"at"`
	ClosedBy string    `json:"closedBy,omitempty"` // who, and why
	ClosedAt time.Time `json:"closedAt,omitzero"`
}

// Breakers are the circuit breakers of all clusters, in one record.
type Breakers struct {
	// Breaker was opened by a K8Guard that had one for all: it holds every cluster until a person
	// closes it.
	Breaker
	Clusters map[string]ClusterBreaker `json:"clusters,omitempty"` // by UID
}

// ClusterBreaker is that of one cluster.
type ClusterBreaker struct {
	Name string `json:"name"`
	Breaker
	Doubt
}

// Of returns what holds a cluster, by its UID or its name: one that was made anew under the
// same name is held until a person closes the breaker.
func (b Breakers) Of(cluster v1.Cluster) Breaker {
	if own := b.Clusters[cluster.UID].Breaker; !b.Open && own.Open {
		return own
	}
	return b.On(cluster.Name)
}

// On returns what holds a cluster, by its name.
func (b Breakers) On(name string) Breaker {
	if b.Open {
		return b.Breaker
	}
	for _, c := range b.Clusters {
		if c.Open && c.Name == name {
			return c.Breaker
		}
	}
	return Breaker{}
}

// open lists the clusters whose own breaker is open, by name.
func (b Breakers) open() (names []string) {
	for _, c := range b.Clusters {
		if c.Open {
			names = append(names, c.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// advice stands in a reason between why the breaker opened and what a person is to do.
const advice = "; what to do: "

// Advise is a reason with what a person is to do about it.
func Advise(why, what string) string { return why + advice + what }

// Why is the reason without what was to be done: once a person has closed the breaker, that is
// no longer due.
func (b Breaker) Why() string {
	why, _, _ := strings.Cut(b.Reason, advice)
	return why
}

// Sum is what a person is told of all of them.
func (b Breakers) Sum() Breaker {
	if b.Open || len(b.Clusters) == 0 {
		return b.Breaker
	}
	all := slices.SortedFunc(maps.Values(b.Clusters), func(x, y ClusterBreaker) int { return cmp.Or(cmp.Compare(x.Name, y.Name), x.At.Compare(y.At)) })
	var out Breaker
	var reasons []string
	for _, c := range all {
		switch {
		case !c.Open:
			continue
		case len(reasons) == 0 || c.At.Before(out.At):
			out = c.Breaker
		}
		reasons = append(reasons, cmp.Or(c.Name, "a cluster")+": "+c.Reason)
	}
	switch {
	case !out.Open: // the one that was open last
		return slices.MaxFunc(all, func(x, y ClusterBreaker) int { return x.At.Compare(y.At) }).Breaker
	case len(all) > 1:
		out.Reason = strings.Join(reasons, "; ")
	}
	return out
}

// Breakers returns the circuit breakers.
func (c *Control) Breakers(ctx context.Context) (Breakers, error) {
	return ledger.Read[Breakers](ctx, c.records, breakerKey)
}

// Breaker says in one whether any cluster's breaker is open, and why.
func (c *Control) Breaker(ctx context.Context) (Breaker, error) {
	b, err := c.Breakers(ctx)
	return b.Sum(), err
}

// Trip opens a cluster's breaker; the first reason stays until a person closes it.
func (c *Control) Trip(ctx context.Context, cluster v1.Cluster, reason string) error {
	fresh := false
	_, err := ledger.UpdateRecord(ctx, c.records, breakerKey, func(b *Breakers) (bool, error) {
		own := b.Clusters[cluster.UID]
		fresh = !b.Open && !own.Open
		if !fresh {
			renamed := own.Open && own.Name != cluster.Name
			if own.Name = cluster.Name; renamed {
				b.Clusters[cluster.UID] = own
			}
			return renamed, nil
		}
		reason = reason[:min(len(reason), maxReason)]
		if len(b.Clusters) >= maxBreakers {
			maps.DeleteFunc(b.Clusters, func(_ string, c ClusterBreaker) bool { return !c.Open })
		}
		if len(b.Clusters) >= maxBreakers {
			// More than there can be: somebody tells us of clusters that are none. Then all are held.
			b.Breaker = Breaker{Open: true, Reason: fmt.Sprintf("the breakers of %d clusters are open, and one more: %s", len(b.Clusters), reason), At: c.now().UTC()}
			b.Clusters = nil
			return true, nil
		}
		if b.Clusters == nil {
			b.Clusters = map[string]ClusterBreaker{}
		}
		b.Clusters[cluster.UID] = ClusterBreaker{cluster.Name, Breaker{Open: true, Reason: reason, At: c.now().UTC()}, own.Doubt}
		return true, nil
	})
	if err != nil || !fresh {
		return err
	}
	return c.note(ctx, Event{What: EventTripped, Scope: scopeOf(cluster.Name), Reason: reason})
}

// Close closes the breaker of a cluster, by its name, for a person with a reason. No name is
// enough where one is open. One that is open for its ledger wants [Control.Accept].
func (c *Control) Close(ctx context.Context, cluster, by, reason string) error {
	return c.shut(ctx, cluster, by, reason, false)
}

func (c *Control) shut(ctx context.Context, cluster, by, reason string, accept bool) error {
	if by == "" || reason == "" {
		return errors.New("closing the breaker needs a name and a reason")
	}
	var closed string
	_, err := ledger.UpdateRecord(ctx, c.records, breakerKey, func(b *Breakers) (bool, error) {
		var err error
		closed, err = b.close(cluster, accept, func(own *Breaker) {
			own.Open, own.ClosedBy, own.ClosedAt = false, fmt.Sprintf("%s: %s", by, reason), c.now().UTC()
		})
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return c.note(ctx, Event{What: EventClosed, Scope: scopeOf(closed), By: by, Reason: reason})
}

// close returns the name of the cluster whose breaker it closed, "" for that of all.
func (b *Breakers) close(cluster string, accept bool, shut func(*Breaker)) (string, error) {
	open := b.open()
	switch {
	case b.Open && cluster != "":
		return "", errors.New("the breaker is open for every cluster, since before each had its own; close it without --cluster")
	case b.Open && accept:
		return "", errors.New("the breaker is open for every cluster, since before each had its own; close it without --accept-ledger first; nothing changed")
	case b.Open:
		shut(&b.Breaker)
		return "", nil
	case len(open) == 0 && cluster != "":
		return "", fmt.Errorf("the breaker of cluster %s is not open, nor that of any other; nothing changed", cluster)
	case len(open) == 0:
		return "", errors.New("the breaker was not open; nothing changed")
	case cluster == "" && len(open) > 1:
		return "", fmt.Errorf("the breakers of %s are open; say which one with --cluster; nothing changed", strings.Join(open, ", "))
	case cluster == "":
		cluster = open[0]
	case !slices.Contains(open, cluster):
		return "", fmt.Errorf("the breaker of cluster %s is not open, but that of %s; nothing changed", cluster, strings.Join(open, ", "))
	}
	if err := b.settles(cluster, accept); err != nil {
		return "", err
	}
	for uid, c := range b.Clusters {
		if c.Open && c.Name == cluster {
			shut(&c.Breaker)
			c.accept()
			b.Clusters[uid] = c
		}
	}
	return cluster, nil
}

func scopeOf(cluster string) string {
	if cluster == "" {
		return ""
	}
	return "cluster/" + cluster
}

// CountUndo notes the undo of an enforcement, once by its ID; limit of them within an hour
// trip the cluster's breaker. Asked again after a kill, it trips what the first time did not get to.
func (c *Control) CountUndo(ctx context.Context, cluster v1.Cluster, id string, limit int) error {
	now := c.now().UTC()
	undone, err := ledger.UpdateRecord(ctx, c.records, undosKey+"/"+cluster.UID, func(undone *map[string]time.Time) (bool, error) {
		maps.DeleteFunc(*undone, func(_ string, at time.Time) bool { return now.Sub(at) > time.Hour })
		if _, counted := (*undone)[id]; counted {
			return false, nil
		}
		if *undone == nil {
			*undone = map[string]time.Time{}
		}
		(*undone)[id] = now
		return true, nil
	})
	if err != nil || limit < 1 || len(undone) < limit {
		return err
	}
	return c.Trip(ctx, cluster, fmt.Sprintf("%d undos within an hour", len(undone)))
}
