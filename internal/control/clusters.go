package control

import (
	"cmp"
	"context"
	"slices"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/ledger"
)

const (
	clustersKey = "vital/clusters"
	// forgetCluster is after how long one that nobody looks at is not listed any more.
	forgetCluster = 30 * 24 * time.Hour
)

// Known is a cluster as the action that answers for it saw it last.
type Known struct {
	UID  string `json:"uid"`
	Name string `json:"name"`
	// Judged and Violating count roots, by the newest inventory.
	Judged    int `json:"judged"`
	Violating int `json:"violating"`
	// Stale says what is not read, or that the cluster is silent, and Since when; empty is nothing.
	Stale  string    `json:"stale,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Looked time.Time `json:"looked"`
}

// Clusters lists the clusters that were looked at within a month, by name.
func (c *Control) Clusters(ctx context.Context) ([]Known, error) {
	uids, err := ledger.Read[[]string](ctx, c.records, clustersKey)
	if err != nil {
		return nil, err
	}
	var all []Known
	for _, uid := range uids {
		v, err := ledger.Read[vital](ctx, c.records, vitalKey(uid))
		if err != nil {
			return nil, err
		}
		if c.now().Sub(v.Known.Looked) < forgetCluster {
			all = append(all, v.Known)
		}
	}
	slices.SortFunc(all, func(a, b Known) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.UID, b.UID)) })
	return all, nil
}

// list notes that there is such a cluster; once a process is enough.
func (c *Control) list(ctx context.Context, uid string) error {
	if _, listed := c.listed.Load(uid); listed {
		return nil
	}
	_, err := ledger.UpdateRecord(ctx, c.records, clustersKey, func(uids *[]string) (bool, error) {
		if slices.Contains(*uids, uid) {
			return false, nil
		}
		*uids = append(*uids, uid)
		return true, nil
	})
	if err == nil {
		c.listed.Store(uid, true)
	}
	return err
}

// see takes over what a look saw.
func (k *Known) see(cluster v1.Cluster, s Signs, now time.Time) {
	k.UID, k.Name, k.Judged, k.Violating, k.Looked = cluster.UID, cluster.Name, s.Judged, s.Violating, now
	if k.Stale = s.Stale; s.Stale == "" {
		k.Since = time.Time{}
	} else {
		k.Since = now.Add(-s.StaleFor)
	}
}
