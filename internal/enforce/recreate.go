package enforce

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/docket"
)

// recreate makes the ingress anew from its kept manifest, marked as restored.
func (e *Enforcer) recreate(ctx context.Context, d docket.Docket) (newUID, note string, err error) {
	var want networkingv1.Ingress
	if err := json.Unmarshal(d.Enforcement.Prior.Manifest, &want); err != nil {
		return "", "", stopped{fmt.Sprintf("the kept manifest cannot be read: %v", err)}
	}
	ingresses := e.Client.NetworkingV1().Ingresses(d.Root.Namespace)
	note = d.Root.String() + " is back with the same spec, labels and annotations"
	there, err := ingresses.Get(ctx, d.Root.Name, metav1.GetOptions{})
	switch {
	case err == nil && e.made(there, d.Enforcement.ID):
		return string(there.UID), note, nil
	case err == nil && there.DeletionTimestamp != nil:
		return "", "", stopped{fmt.Sprintf("an ingress of this name is being deleted and held by its finalizers (%s); have them taken off, then undo again",
			strings.Join(there.Finalizers, ", "))}
	case err == nil:
		return "", "", stopped{fmt.Sprintf("another ingress bears the name now (UID %s)", there.UID)}
	case !apierrors.IsNotFound(err):
		return "", "", err
	}
	if err := e.hostsFree(ctx, want, d.Enforcement.IntentAt.Add(-e.Config.Enforce.Breaker.ClockSkew)); err != nil {
		return "", "", err
	}
	if want.Annotations == nil {
		want.Annotations = map[string]string{}
	}
	want.Annotations[Annotation] = d.Enforcement.ID
	if err := e.setAlias(ctx, d, "", true); err != nil {
		return "", "", err
	}
	var back *networkingv1.Ingress
	err = send(ctx, func(ctx context.Context) (err error) {
		back, err = ingresses.Create(ctx, &want, metav1.CreateOptions{FieldManager: manager(d.Enforcement.ID) + "-undo"})
		return err
	})
	if apierrors.IsAlreadyExists(err) {
		return "", "", fmt.Errorf("%w: %w", errConflict, err)
	}
	if err != nil {
		return "", "", final(err)
	}
	return string(back.UID), note, nil
}

// made reports whether an ingress is the one that this enforcement's undo created.
func (e *Enforcer) made(o *networkingv1.Ingress, id string) bool {
	return o.Annotations[Annotation] == id && slices.ContainsFunc(o.ManagedFields, func(f metav1.ManagedFieldsEntry) bool {
		return f.Manager == manager(id)+"-undo"
	})
}

// hostsFree stops an undo whose host another ingress took meanwhile. One that served it
// beside ours and was not written since is no thief.
func (e *Enforcer) hostsFree(ctx context.Context, want networkingv1.Ingress, since time.Time) error {
	list, err := e.Client.NetworkingV1().Ingresses("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for _, other := range list.Items {
		if !writtenSince(other, since) {
			continue
		}
		for _, r := range other.Spec.Rules {
			if r.Host != "" && slices.ContainsFunc(want.Spec.Rules, func(x networkingv1.IngressRule) bool { return x.Host == r.Host }) {
				// Whose it is, the log says: what stops an undo is read by who sees this namespace only.
				e.Log.Warn("another ingress serves the host: the undo stops", "host", r.Host, "ingress", other.Namespace+"/"+other.Name, "ours", want.Namespace+"/"+want.Name)
				return stopped{fmt.Sprintf("host %s is served by another ingress now", r.Host)}
			}
		}
	}
	return nil
}

func writtenSince(o networkingv1.Ingress, at time.Time) bool {
	return !o.CreationTimestamp.Time.Before(at) || len(o.ManagedFields) == 0 ||
		slices.ContainsFunc(o.ManagedFields, func(f metav1.ManagedFieldsEntry) bool {
			return f.Subresource == "" && (f.Time == nil || !f.Time.Time.Before(at))
		})
}
