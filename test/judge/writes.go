package judge

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/k8guard/k8guard/tools/controlplane/audit"
)

// annotation is the one that K8Guard may write on objects of others.
const annotation = "k8guard.io/enforcement"

// body is what the judges read of a request's body, whatever its kind.
type body struct {
	Metadata struct {
		Name            string
		UID             string
		ResourceVersion string
		Annotations     map[string]string
	}
	Spec          json.RawMessage
	DryRun        []string
	Preconditions struct{ UID, ResourceVersion string }
}

// write is one mutating request that had, or may have had, an effect.
type write struct {
	audit.Event
	body body
}

func (w write) String() string {
	o := w.ObjectRef
	return fmt.Sprintf("%s %s/%s/%s%s (HTTP %d at %s)", w.Verb, o.Resource, o.Namespace, o.Name,
		strings.TrimSuffix("/"+o.Subresource, "/"), w.ResponseStatus.Code, w.At.Format("15:04:05.000"))
}

// sorted are the account's requests that could change something, by how they ended.
type sorted struct{ done, unclear, refused []write }

// sortWrites leaves out dry runs and what keep does not want.
func sortWrites(events []audit.Event, account string, keep func(audit.Event) bool) (sorted, error) {
	var out sorted
	for _, e := range audit.Writes(events, account) {
		if e.Stage == "ResponseStarted" || !keep(e) {
			continue
		}
		w := write{Event: e}
		if len(e.RequestObject) > 0 {
			if err := json.Unmarshal(e.RequestObject, &w.body); err != nil {
				return out, fmt.Errorf("body of %s: %w", w, err)
			}
		}
		dry, err := w.dryRun()
		switch code := e.ResponseStatus.Code; {
		case err != nil:
			return out, err
		case dry:
		case code >= 200 && code < 300:
			out.done = append(out.done, w)
		// The client was gone, or the server failed: etcd may have taken it nevertheless.
		case code == 0 || code == 408 || code == 499 || code >= 500:
			out.unclear = append(out.unclear, w)
		default:
			out.refused = append(out.refused, w)
		}
	}
	return out, nil
}

func (w write) dryRun() (bool, error) {
	u, err := url.Parse(w.RequestURI)
	if err != nil {
		return false, fmt.Errorf("address of %s: %w", w, err)
	}
	return u.Query().Has("dryRun") || len(w.body.DryRun) > 0, nil
}

func (w write) succeeded() bool { return w.ResponseStatus.Code >= 200 && w.ResponseStatus.Code < 300 }

// began is when the server got the request: an unclear one may end long after.
func (w write) began() time.Time {
	if w.Received.IsZero() {
		return w.At
	}
	return w.Received
}

// version is the resourceVersion that the write asks for.
func (w write) version() string {
	if strings.HasPrefix(w.Verb, "delete") {
		return w.body.Preconditions.ResourceVersion
	}
	return w.body.Metadata.ResourceVersion
}

// replicas of a scale; nil where the body gives none.
func (w write) replicas() *int32 {
	var spec struct{ Replicas *int32 }
	if json.Unmarshal(w.body.Spec, &spec) != nil {
		return nil
	}
	if spec.Replicas == nil && w.Verb == "update" {
		zero := int32(0) // omitted when empty
		return &zero
	}
	return spec.Replicas
}

// hard reports whether the request takes something away, and from which UID.
func (w write) hard() (uid string, ok bool) {
	switch {
	case w.ObjectRef.Subresource == "scale":
		n := w.replicas()
		return w.body.Metadata.UID, n != nil && *n == 0
	case strings.HasPrefix(w.Verb, "delete"):
		return w.body.Preconditions.UID, true
	case w.Verb == "patch" && w.ObjectRef.Subresource == "":
		s := w.suspend()
		return w.body.Metadata.UID, s != nil && *s
	}
	return "", false
}
