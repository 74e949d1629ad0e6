package discover

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// firstEntity and firstViolation are the first K8Guard's JSON: names, order and all.
type firstEntity struct {
	Name       string
	Namespace  string
	Cluster    string
	Violations []firstViolation
}

type firstViolation struct {
	Source string
	Type   string
}

// Routes are the first K8Guard's, by the patterns of [http.ServeMux]: for each kind the roots
// that violate a rule, in its shape. While a kind cannot be read completely it answers 503
// with the reason: an empty list would say that all is well.
func (d *Discover) Routes() map[string]http.Handler {
	routes := map[string]http.Handler{}
	for path, kind := range map[string]entity.Kind{
		"/namespaces": entity.Namespace, "/deploys": entity.Deployment, "/daemonsets": entity.DaemonSet, "/podswo": entity.Pod,
		"/ingresses": entity.Ingress, "/jobs": entity.Job, "/cronjobs": entity.CronJob,
	} {
		routes["GET "+path] = d.first(kind)
	}
	return routes
}

func (d *Discover) first(kind entity.Kind) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !d.complete(kind) {
			why := "it is being read"
			if st := d.settings.Watcher.Status(kind); st.Err != nil {
				why = st.Err.Error()
			}
			http.Error(w, "the "+string(kind)+"s are not all judged: "+why, http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(d.bad(kind)) // the client is gone: nobody is left to tell
	})
}

// bad lists the roots of a kind that violate a rule, by namespace and name.
func (d *Discover) bad(kind entity.Kind) []firstEntity {
	var records []*cluster.Record
	d.settings.Watcher.Each(kind, func(r *cluster.Record) {
		if d.isBad(r) {
			records = append(records, r)
		}
	})
	slices.SortFunc(records, func(a, b *cluster.Record) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	m := d.mode(kind)
	all := make([]firstEntity, 0, len(records))
	for _, r := range records {
		e := firstEntity{Name: r.Name, Namespace: r.Namespace, Cluster: d.settings.Cluster.Name}
		for _, verdict := range d.observation(r, "", m).Verdicts {
			for _, v := range verdict.Violations {
				e.Violations = append(e.Violations, firstViolation{Source: firstSource(v), Type: v.Type})
			}
		}
		if len(e.Violations) > 0 {
			all = append(all, e)
		}
	}
	return all
}

// isBad reports whether a record is a root that violated a rule when it was judged last.
func (d *Discover) isBad(r *cluster.Record) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.roots[key{r.Kind, r.UID}].bad()
}

// firstSource is what the first K8Guard called the source: of an image's violation the image.
func firstSource(v v1.Violation) string {
	if strings.HasPrefix(v.Type, "IMAGE_") && v.Evidence != "" {
		image, _, _ := strings.Cut(v.Evidence, ": ") // a size may follow
		return image
	}
	return v.Source
}
