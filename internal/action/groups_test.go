package action

import (
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

// One action for each cluster, each a consumer group of its own, over one ledger: each tells the
// one owner what is of its own cluster, and leaves the other's entries alone.
func TestTwoGroupsShareAnOwnersOutbox(t *testing.T) {
	h := newHall(t, 1)
	other := h.replica("west-0", west())
	must(t, other.Gained(t.Context(), docket.AllBuckets()))
	h.engines = append(h.engines, other)
	for _, uid := range []string{"a", "b"} {
		h.finds(uid)
		o := h.observation("west-"+uid, inWest)
		h.say(v1.Message{Observation: &o})
	}
	h.say(v1.Message{Inventory: &v1.Inventory{V: v1.Version, Cluster: west(), Order: v1.Order{Epoch: 1, Seq: 100}, At: h.now(), Judged: 100,
		Bucket: docket.BucketOf(west().UID)}})
	h.goOn(step)
	filed := h.box()
	if len(filed.Entries) != 4 {
		t.Fatalf("%d entries", len(filed.Entries))
	}
	// For a while only one of them looks.
	both := h.engines
	h.engines = both[:1]
	h.goOn(3 * time.Hour)
	for _, entry := range h.box().Entries {
		if entry.Docket.Cluster != west().UID {
			t.Errorf("not told: %v", entry)
		}
	}
	if b := h.box(); len(b.Entries) != 2 || h.now().Sub(b.Since) < 2*time.Hour {
		t.Errorf("what is of another cluster was not left alone: %+v", b)
	}
	if n := len(h.engines[0].boxes.list()); n != 0 {
		t.Errorf("%d outboxes are read again and again", n)
	}
	h.engines = both
	h.goOn(30 * time.Hour)
	told := map[string]int{}
	for _, s := range h.mail.tries(docket.Warning) {
		if len(s.digest.Items) != 2 {
			t.Errorf("a digest names %d cases, want the two of one cluster", len(s.digest.Items))
		}
		told[s.digest.Cluster]++
	}
	if told[cluster().Name] != 3 || told[west().Name] != 3 {
		t.Errorf("mails of warnings by cluster: %v, want three each", told)
	}
	if len(h.gate.calls) != 4 {
		t.Errorf("%d acts, want four", len(h.gate.calls))
	}
	if b := h.box(); len(b.Entries) != 0 {
		t.Errorf("left in the outbox: %+v", b.Entries)
	}
}
