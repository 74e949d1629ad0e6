package control

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/ledger"
)

// shareWindow is the time in which a jump of the share counts; jumpFloor is how many roots
// more it must be, so that one bad deployment in a small cluster is no storm.
const (
	shareWindow = time.Hour
	jumpFloor   = 10
)

// Signs are how the audit of a cluster is doing, as seen now.
type Signs struct {
	Violating, Judged int // roots; Judged is 0 before the first complete inventory
	// Stale says what is not read or silent, and StaleFor for how long; empty is nothing.
	Stale    string
	StaleFor time.Duration
	Silent   bool // nothing is heard: the counts are of before, and no share of now
}

// Limits are what opens the breaker; zero switches a trigger off.
type Limits struct {
	SharePoints int           // percentage points within an hour
	Stale       time.Duration // of an incomplete or silent audit
	Skew        time.Duration // that our clock may be behind the latest time on record
}

// vital is what is remembered from look to look.
type vital struct {
	Latest    time.Time `json:"latest"` // of our own clock
	Share     float64   `json:"share"`
	Violating int       `json:"violating"`
	At        time.Time `json:"at"` // of the share
	Known     Known     `json:"known,omitzero"`
}

func vitalKey(uid string) string { return "vital/" + uid }

// Watch looks at the signs and opens the cluster's breaker when one is bad. It is asked again and
// again; a look that finds nothing costs one write.
func (c *Control) Watch(ctx context.Context, cluster v1.Cluster, s Signs, l Limits) error {
	if err := c.list(ctx, cluster.UID); err != nil {
		return err
	}
	bad := ""
	_, err := ledger.UpdateRecord(ctx, c.records, vitalKey(cluster.UID), func(v *vital) (bool, error) {
		now := c.now().UTC()
		v.Known.see(cluster, s, now)
		bad = v.clock(now, l.Skew)
		if bad == "" {
			if now.After(v.Latest) {
				v.Latest = now
			}
			if !s.Silent {
				bad = v.jump(s, l.SharePoints, now)
			}
		}
		if bad == "" && l.Stale > 0 && s.Stale != "" && s.StaleFor > l.Stale {
			bad = fmt.Sprintf("the audit is not whole for %s: %s", s.StaleFor.Round(time.Second), s.Stale)
		}
		return true, nil
	})
	if err != nil || bad == "" {
		return err
	}
	return c.Trip(ctx, cluster, bad)
}

// clock compares our time with the latest that this ledger has seen of it.
func (v *vital) clock(now time.Time, skew time.Duration) string {
	if skew <= 0 || !now.Add(skew).Before(v.Latest) {
		return ""
	}
	bad := fmt.Sprintf("our clock fell back: it says %s, and said %s before", now.Format(time.RFC3339), v.Latest.Format(time.RFC3339))
	v.Latest = now // told once; a person sees to it
	return bad
}

// jump compares the share of violating roots with the lowest of the last window, and after a
// longer pause with the last one known: a wrong rule may come with a restart.
func (v *vital) jump(s Signs, points int, now time.Time) string {
	if points <= 0 || s.Judged == 0 {
		return ""
	}
	share := float64(s.Violating) / float64(s.Judged)
	bad := ""
	if !v.At.IsZero() && share-v.Share >= float64(points)/100 && s.Violating-v.Violating >= jumpFloor {
		bad = fmt.Sprintf("the share of violating roots jumped from %.0f %% to %.0f %% (%d of %d) since %s; a rule or a list may be wrong",
			100*v.Share, 100*share, s.Violating, s.Judged, v.At.Format(time.RFC3339))
	}
	if bad != "" || v.At.IsZero() || share < v.Share || now.Sub(v.At) >= shareWindow {
		v.Share, v.Violating, v.At = share, s.Violating, now
	}
	return bad
}
