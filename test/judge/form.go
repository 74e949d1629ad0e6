package judge

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// uid that the body of a write gives.
func (w write) uid() string {
	if strings.HasPrefix(w.Verb, "delete") {
		return w.body.Preconditions.UID
	}
	return w.body.Metadata.UID
}

// isOf reports whether this is the write of a record: the right verb on the right object.
func (w write) isOf(x *due) bool {
	o := w.ObjectRef
	if o.Namespace != x.root.Namespace || o.Name != x.root.Name && w.body.name() != x.root.Name {
		return false
	}
	switch x.by.Action {
	case "scale-to-zero":
		n := w.replicas()
		return scaled(o.Resource, x.root.Kind) && o.Subresource == "scale" && (w.Verb == "update" || w.Verb == "patch") &&
			n != nil && w.uid() == x.root.UID && (*n == 0) == x.act
	case "suspend":
		s := w.suspend()
		return suspends(o.Resource, x.root.Kind) && o.Subresource == "" && w.Verb == "patch" && s != nil && w.uid() == x.root.UID && *s == x.act
	case "delete-ingress":
		if x.act {
			return o.Resource == "ingresses" && o.Subresource == "" && w.Verb == "delete" && w.uid() == x.root.UID
		}
		return o.Resource == "ingresses" && o.Subresource == "" && w.Verb == "create" && w.body.Metadata.Annotations[annotation] == x.by.ID
	}
	return false
}

// scaled reports whether a resource is the kind's, of those that may be scaled.
func scaled(resource, kind string) bool {
	return map[string]string{"Deployment": "deployments", "StatefulSet": "statefulsets", "ReplicaSet": "replicasets"}[kind] == resource
}

func suspends(resource, kind string) bool {
	return map[string]string{"Job": "jobs", "CronJob": "cronjobs"}[kind] == resource
}

// suspend is the value of a patch of this one field beside UID and resourceVersion, or nil.
func (w write) suspend() *bool {
	var patch struct {
		Metadata map[string]json.RawMessage
		Spec     map[string]*bool
	}
	if json.Unmarshal(w.RequestObject, &patch) != nil || len(patch.Spec) != 1 ||
		!slices.Equal(slices.Sorted(maps.Keys(patch.Metadata)), []string{"resourceVersion", "uid"}) {
		return nil
	}
	return patch.Spec["suspend"]
}

func (b body) name() string { return b.Metadata.Name }

// form holds a write's preconditions and value against its record.
func (b *books) form(w write, x *due) {
	version := w.version()
	switch {
	case w.Verb == "create":
	case version == "":
		b.add("%s: no resourceVersion in the body", w)
	case x.act && version != x.by.Prior.ResourceVersion:
		b.add("%s: resourceVersion %s, the recorded prior state has %s", w, version, x.by.Prior.ResourceVersion)
	}
	if was := x.by.Prior.Suspended; x.by.Action == "suspend" && (was == nil || *was) {
		b.add("%s: no state on record that it could go back to", w)
	}
	if want := x.by.Prior.Replicas; !x.act && x.by.Action == "scale-to-zero" && (want == nil || *want != *w.replicas()) {
		b.add("%s: scales back to another number than the recorded prior state", w)
	}
}

// fence books a patch: one recorded fence, our one annotation, and nothing else.
func (b *books) fence(w write) {
	var patch map[string]json.RawMessage
	var meta map[string]json.RawMessage
	if json.Unmarshal(w.RequestObject, &patch) != nil || json.Unmarshal(patch["metadata"], &meta) != nil {
		b.add("%s: a patch that is no fence: %s", w, w.RequestObject)
		return
	}
	id, _, _ := strings.Cut(w.body.Metadata.Annotations[annotation], "/")
	fields := slices.Sorted(maps.Keys(meta))
	switch {
	case w.ObjectRef.Subresource != "" || len(patch) != 1 || len(w.body.Metadata.Annotations) != 1 || id == "" ||
		!slices.Equal(fields, []string{"annotations", "resourceVersion", "uid"}):
		b.add("%s: a patch of more, or less, than our annotation with UID and resourceVersion: %s", w, w.RequestObject)
	case w.body.Metadata.UID == "" || w.body.Metadata.ResourceVersion == "":
		b.add("%s: a fence without UID or resourceVersion", w)
	case b.fences[id] == 0:
		b.add("%s: no fence of %s is on record for it", w, id)
	default:
		b.fences[id]--
		b.tally.Fences++
	}
}
