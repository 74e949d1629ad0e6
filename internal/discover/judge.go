package discover

import (
	"crypto/sha256"
	"encoding/json"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/lru"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// remembered bounds the judgements that equal pods may share.
const remembered = 8192

// tokenVolume begins the name of the volume that the API server gives to every pod.
const tokenVolume = "kube-api-access-"

// memo lets pods that a rule cannot tell apart share one judgement.
type memo struct{ seen *lru.Cache }

func newMemo() *memo { return &memo{seen: lru.New(remembered)} }

// Judge is called by the watcher for each object that arrives. Rules that look at other
// objects too wait until these are listed; see [Discover.relatedVerdicts].
func (d *Discover) Judge(e entity.Entity) *cluster.Judgement {
	switch {
	case d.standsForAll(e.Kind, e.Name):
		return &cluster.Judgement{Labels: e.Labels}
	case d.ignored[e.Namespace]:
		return nil
	}
	started := d.settings.Now()
	defer func() { d.metrics.judging.Observe(d.settings.Now().Sub(started).Seconds()) }()
	if e.Kind != entity.Pod {
		j := &cluster.Judgement{Verdicts: d.settings.Engine.JudgeAlone(e, v1.FromTemplate)}
		// A claim to a maker is checked against them; a team may own a namespace by them.
		if len(makers(e.Kind)) > 0 || e.Kind == entity.Namespace {
			j.Labels = e.Labels
		}
		return j
	}
	if len(e.Owners) > 0 {
		e = anonymous(e)
	}
	sum, err := fingerprint(e)
	if err == nil {
		if known, ok := d.memo.seen.Get(sum); ok {
			return known.(*cluster.Judgement)
		}
	}
	judgement := &cluster.Judgement{Labels: e.Labels, Verdicts: d.settings.Engine.JudgeAlone(e, v1.FromPod)}
	if err == nil {
		d.memo.seen.Add(sum, judgement)
	}
	return judgement
}

// anonymous takes from an owned pod what differs between equal pods: its name, its node and
// the random end of its token volume's name.
func anonymous(e entity.Entity) entity.Entity {
	e.Name = e.Owners[0].Name
	spec := e.Pod.DeepCopy()
	spec.NodeName = ""
	for i, v := range spec.Volumes {
		if v.Projected == nil || !strings.HasPrefix(v.Name, tokenVolume) {
			continue
		}
		name := strings.TrimSuffix(tokenVolume, "-")
		rename(spec.InitContainers, v.Name, name)
		rename(spec.Containers, v.Name, name)
		spec.Volumes[i].Name = name
	}
	e.Pod = spec
	return e
}

func rename(containers []corev1.Container, from, to string) {
	for i := range containers {
		for j := range containers[i].VolumeMounts {
			if containers[i].VolumeMounts[j].Name == from {
				containers[i].VolumeMounts[j].Name = to
			}
		}
	}
}

// fingerprint covers everything of a pod that a rule may read, save its UID, version and age.
func fingerprint(e entity.Entity) ([sha256.Size]byte, error) {
	spec, err := e.Pod.Marshal()
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	about, err := json.Marshal([]any{e.Namespace, e.Name, e.Labels, e.Annotations, e.Owners, e.Deleting, e.Completed, len(spec)})
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	return sha256.Sum256(append(about, spec...)), nil
}
