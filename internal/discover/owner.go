package discover

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// makers lists the kinds that make objects of a kind, and so may be believed to control one.
func makers(kind entity.Kind) []entity.Kind {
	switch kind {
	case entity.Pod:
		return []entity.Kind{entity.ReplicaSet, entity.StatefulSet, entity.DaemonSet, entity.Job}
	case entity.ReplicaSet:
		return []entity.Kind{entity.Deployment}
	case entity.Job:
		return []entity.Kind{entity.CronJob}
	}
	return nil
}

// between lists the kinds that stand between a root and its pods.
func between(kind entity.Kind) []entity.Kind {
	switch kind {
	case entity.Deployment:
		return []entity.Kind{entity.ReplicaSet}
	case entity.CronJob:
		return []entity.Kind{entity.Job}
	}
	return nil
}

// above lists every kind that may stand above an object of this kind.
func above(kind entity.Kind) []entity.Kind {
	all := makers(kind)
	for _, maker := range makers(kind) {
		all = append(all, makers(maker)...)
	}
	return all
}

func group(kind entity.Kind) string {
	if kind == entity.Job || kind == entity.CronJob {
		return "batch/v1"
	}
	return "apps/v1"
}

// link is what came of an object's claim to a controller.
type link struct {
	parent *cluster.Record // nil unless the claim holds
	why    string          // why it does not hold; empty when nothing is claimed
	open   bool            // the claimed kind was not read, so nothing can be said
}

// claimOf checks an object's claim. A tenant writes owner references, so the controller must
// be of a kind that makes such objects, exist by UID in the namespace, and match.
func (d *Discover) claimOf(r *cluster.Record) link {
	c := r.Controller
	if c.UID == "" {
		return link{}
	}
	kind := entity.Kind(c.Kind)
	if !slices.Contains(makers(r.Kind), kind) || c.APIVersion != group(kind) {
		return link{why: fmt.Sprintf("no %s of %s makes a %s", c.Kind, c.APIVersion, r.Kind)}
	}
	if !d.settings.Watcher.Status(kind).Listed {
		return link{open: true}
	}
	parent := d.settings.Watcher.Get(kind, c.UID)
	if parent == nil && !d.heard(kind) {
		return link{open: true} // it may be newer than what is known of its kind
	}
	if parent == nil || parent.Namespace != r.Namespace || parent.Name != c.Name {
		return link{why: fmt.Sprintf("no %s of that name has that UID in the namespace", kind)}
	}
	if parent.Over { // nothing of it is judged any more, and nobody takes its pods away
		return link{why: fmt.Sprintf("the %s is over", kind)}
	}
	if why := mismatch(parent, r); why != "" {
		return link{why: why}
	}
	return link{parent: parent}
}

// topOf walks claims that hold to the root; it returns the record itself where nothing
// stands above it. Open means that a kind on the way was not read.
func (d *Discover) topOf(r *cluster.Record) (root *cluster.Record, open bool) {
	for range 3 { // Pod, Job, CronJob: no chain is longer
		c := d.claimOf(r)
		if c.open {
			return nil, true
		}
		if c.parent == nil {
			break
		}
		r = c.parent
	}
	return r, false
}

// mismatch says why a controller did not make the object, or "".
func mismatch(parent, r *cluster.Record) string {
	if parent.Kind == entity.CronJob {
		if !r.Made.Scheduled || !strings.HasPrefix(r.Name, parent.Name+"-") {
			return "the CronJob's schedule did not make it: its name or its scheduled time is missing"
		}
		return ""
	}
	var own map[string]string
	if r.Judgement != nil {
		own = r.Judgement.Labels
	}
	selector, err := metav1.LabelSelectorAsSelector(parent.Selector)
	if err != nil || selector.Empty() || !selector.Matches(labels.Set(own)) {
		return fmt.Sprintf("the selector of the %s does not match its labels", parent.Kind)
	}
	return unmarked(parent, r)
}

// unmarked says which mark of its maker an object lacks, or "".
func unmarked(parent, r *cluster.Record) string {
	missing := ""
	switch parent.Kind {
	case entity.Deployment:
		if r.Made.TemplateHash == "" {
			missing = appsv1.DefaultDeploymentUniqueLabelKey
		}
	case entity.ReplicaSet:
		if r.Made.TemplateHash != parent.Made.TemplateHash {
			missing = appsv1.DefaultDeploymentUniqueLabelKey
		}
	case entity.StatefulSet:
		if r.Made.Revision == "" || !r.Made.OwnName {
			missing = appsv1.ControllerRevisionHashLabelKey + " or " + appsv1.StatefulSetPodNameLabel
		}
	case entity.DaemonSet:
		if r.Made.Revision == "" {
			missing = appsv1.ControllerRevisionHashLabelKey
		}
	case entity.Job:
		if r.Made.JobUID != parent.UID {
			missing = batchv1.ControllerUidLabel
		}
	}
	if missing == "" {
		return ""
	}
	return fmt.Sprintf("its %s is not the %s's", missing, parent.Kind)
}

// unverified is the remark on a root in spite of a claim.
func unverified(r *cluster.Record, why string) string {
	if why == "" {
		return ""
	}
	return fmt.Sprintf("its claim to be controlled by %s/%s was not verified: %s", r.Controller.Kind, r.Controller.Name, why)
}
