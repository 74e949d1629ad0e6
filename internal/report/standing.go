package report

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/k8guard/k8guard/internal/login"
)

// statusLife is how long one status is shown: each costs reads of the ledger and one of the
// permit, and every page shows it.
const statusLife = 3 * time.Second

// standing keeps the newest status for a moment. A change through the report ends it.
type standing struct {
	ask   func(context.Context) (Status, error)
	now   func() time.Time
	group singleflight.Group

	mu      sync.Mutex
	kept    Status
	until   time.Time
	changes int
}

// get returns what is kept, or asks, once for all who wait. An error is not kept.
func (k *standing) get(ctx context.Context) (Status, error) {
	k.mu.Lock()
	kept, fresh := k.kept, k.now().Before(k.until)
	k.mu.Unlock()
	if fresh {
		return kept, nil
	}
	answer := k.group.DoChan("", func() (any, error) { return k.fetch(context.WithoutCancel(ctx)) })
	select {
	case <-ctx.Done():
		return Status{}, ctx.Err()
	case a := <-answer:
		return a.Val.(Status), a.Err
	}
}

func (k *standing) fetch(ctx context.Context) (Status, error) {
	k.mu.Lock()
	before := k.changes
	k.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	st, err := k.ask(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil && k.changes == before {
		k.kept, k.until = st, k.now().Add(statusLife)
	}
	return st, err
}

// changed forgets what is kept, and whatever is being asked for.
func (k *standing) changed() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	k.until = time.Time{}
	k.group.Forget("")
}

// maxSpent bounds what the budget lists.
const maxSpent = 200

// hidden stands for a number that tells of what the reader may not see.
const hidden = -1

// status is what the reader may know of where K8Guard stands: of what others did, and how
// often, only who sees everything. Beside an error, nobody learns more than the cluster's name.
func (s *server) status(ctx context.Context) (Status, error) {
	st, err := s.standing.get(ctx)
	if err != nil {
		return Status{Cluster: st.Cluster}, err
	}
	all, err := s.may(ctx, login.See, "")
	switch {
	case err != nil:
		return Status{Cluster: st.Cluster}, err
	case all:
		st.Budget.Spent = st.Budget.Spent[:min(len(st.Budget.Spent), maxSpent)]
		return st, nil
	}
	spent, err := s.spent(ctx, st.Budget.Spent)
	if err != nil {
		return Status{Cluster: st.Cluster}, err
	}
	return partly(st, spent), nil
}

// statusNow is status, asked for anew where that is wanted and there is no login: who reaches the
// socket is K8Guard's own user. Every reader together must not make more of it than one does.
func (s *server) statusNow(r *http.Request) (Status, error) {
	if r.Header.Get("Cache-Control") == "no-cache" && login.ReaderOf(r.Context()) == nil {
		s.standing.changed()
	}
	return s.status(r.Context())
}

// partly names what who sees a part may know; what is not named here is not shown.
func partly(st Status, spent []Spent) Status {
	b := st.Budget
	out := Status{Mode: st.Mode, Enforcement: "for who sees every namespace", Cluster: st.Cluster, Stale: st.Stale && len(st.Clusters) < 2, Breaker: Breaker{Open: st.Breaker.Open, At: st.Breaker.At},
		Budget: Budget{PerHour: hidden, UsedHour: hidden, PerDay: b.PerDay, UsedDay: hidden, PerNamespace: b.PerNamespace, PerOwner: b.PerOwner,
			PerRule: b.PerRule, Waiting: hidden, Spent: spent}}
	if st.Refused != "" {
		out.Refused = "K8Guard's log says why"
	}
	for _, f := range st.Freezes {
		out.Freezes = append(out.Freezes, Freeze{Scope: f.Scope, At: f.At, Pending: f.Pending})
	}
	return out
}

// spent leaves what the reader's own namespaces have used.
func (s *server) spent(ctx context.Context, list []Spent) (out []Spent, err error) {
	list = slices.DeleteFunc(slices.Clone(list), func(p Spent) bool { return p.By != "namespace" })
	names := make([]string, 0, len(list))
	for _, p := range list {
		names = append(names, p.Name)
	}
	part, err := s.seen().ask(ctx, names)
	for _, p := range list {
		if len(out) < maxSpent && slices.Contains(part.Namespaces, p.Name) {
			out = append(out, p)
		}
	}
	return out, err
}
