package enforce

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/k8guard/k8guard/internal/docket"
)

// The reasons of the Events on what is acted on.
const (
	Marked = "K8GuardMarked" // an act has a date
	Acted  = "K8GuardActed"
	Undone = "K8GuardUndone"
)

// eventLimit is how long the API server may take for an Event.
const eventLimit = 5 * time.Second

// Mark tells, as an Event on the root, which act follows when, unless it is mended. Like
// every Event it is told at best once: the report and the notices are what counts.
func (e *Enforcer) Mark(ctx context.Context, d docket.Docket, action string, cases []string, at time.Time) {
	e.event(ctx, d, "", corev1.EventTypeWarning, Marked, fmt.Sprintf("%s on %s unless it is mended: %s%s",
		announced(action), at.UTC().Format("2006-01-02 15:04:05 MST"), rules(d, cases), e.link(cases)))
}

func announced(action string) string {
	switch action {
	case docket.ScaleToZero:
		return "K8Guard scales it to zero"
	case docket.Suspend:
		return "K8Guard suspends it"
	}
	return "K8Guard deletes it, and keeps its manifest,"
}

func (e *Enforcer) eventActed(ctx context.Context, d docket.Docket) {
	did := map[string]string{docket.ScaleToZero: "scaled it to zero", docket.Suspend: "suspended it",
		docket.DeleteIngress: "deleted it, and keeps its manifest"}[d.Enforcement.Action]
	e.event(ctx, d, "", corev1.EventTypeWarning, Acted, fmt.Sprintf("K8Guard %s: %s. It can be taken back%s", did,
		rules(d, d.Enforcement.Cases), e.link(d.Enforcement.Cases)))
}

func (e *Enforcer) eventUndone(ctx context.Context, d docket.Docket, newUID string) {
	e.event(ctx, d, newUID, corev1.EventTypeNormal, Undone, "K8Guard took its act back: "+rules(d, d.Enforcement.Cases)+e.link(d.Enforcement.Cases))
}

// rules names the rules of the cases; nothing of it is a tenant's text.
func rules(d docket.Docket, cases []string) string {
	var ids []string
	for _, c := range d.Cases {
		if slices.Contains(cases, c.ID) {
			ids = append(ids, c.Rule)
		}
	}
	slices.Sort(ids)
	return strings.Join(slices.Compact(ids), ", ")
}

func (e *Enforcer) link(cases []string) string {
	if e.Config.Report.URL == "" || len(cases) == 0 {
		return ""
	}
	return "; see " + strings.TrimSuffix(e.Config.Report.URL, "/") + "/cases/" + cases[0]
}

func (e *Enforcer) event(ctx context.Context, d docket.Docket, uid, kind, reason, message string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), eventLimit)
	defer cancel()
	if uid == "" {
		uid = d.Root.UID
	}
	now := metav1.NewTime(e.Now().UTC())
	err := e.create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "k8guard-", Namespace: d.Root.Namespace},
		InvolvedObject: corev1.ObjectReference{APIVersion: apiVersion(d.Root.Kind), Kind: d.Root.Kind, Namespace: d.Root.Namespace,
			Name: d.Root.Name, UID: types.UID(uid)},
		Reason: reason, Message: message, Type: kind, Source: corev1.EventSource{Component: "k8guard"},
		FirstTimestamp: now, LastTimestamp: now, Count: 1,
	})
	if err != nil {
		e.Log.Warn("an Event was not written; the report has it all the same", "reason", reason, "root", d.Root.String(), "err", err,
			"next", "apply deploy/rbac-action.yaml")
	}
}

// create writes an Event. A server that has just started refuses it before it has read the
// roles: that is no reason to ask for one.
func (e *Enforcer) create(ctx context.Context, event *corev1.Event) error {
	for {
		_, err := e.Client.CoreV1().Events(event.Namespace).Create(ctx, event, metav1.CreateOptions{FieldManager: "k8guard"})
		if !apierrors.IsForbidden(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(time.Second):
		}
	}
}

func apiVersion(kind string) string {
	switch kind {
	case "Ingress":
		return "networking.k8s.io/v1"
	case "Job", "CronJob":
		return "batch/v1"
	}
	return "apps/v1"
}
