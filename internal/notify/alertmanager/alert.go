package alertmanager

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

// lasts is how long an alert fires after the next step's date, if nothing is heard of it.
const lasts = 3 * 24 * time.Hour

// AlertName is the same for every case, so that one route takes them all.
const AlertName = "K8GuardViolation"

// alert is what POST /api/v2/alerts takes a list of.
type alert struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// Preview is the body that would be sent: one alert for each case.
func (c *Channel) Preview(d notify.Digest) ([]byte, error) {
	alerts := []alert{}
	groups, _ := wording.Groups(d)
	for _, g := range groups {
		for _, it := range g.Items {
			alerts = append(alerts, alertOf(d, it))
		}
	}
	body, err := json.Marshal(alerts)
	if err != nil {
		return nil, fmt.Errorf("compose the alerts: %w", err)
	}
	return body, nil
}

func alertOf(d notify.Digest, it notify.Item) alert {
	a := alert{Labels: labels(d, it), Annotations: annotations(d, it), StartsAt: d.At.UTC(), EndsAt: d.At.UTC(), GeneratorURL: wording.Link(it.URL)}
	if p := wording.PurposeOf(it); p == docket.AllClear || p == wording.Trial { // over as it comes
		return a
	}
	if it.NextAt.After(d.At) {
		a.EndsAt = it.NextAt.UTC()
	}
	a.EndsAt = a.EndsAt.Add(lasts)
	return a
}

// labels are what stays for the life of a case: no owner, no evidence, no count.
func labels(d notify.Digest, it notify.Item) map[string]string {
	cluster := it.Cluster
	if cluster == "" {
		cluster = d.Cluster
	}
	all := map[string]string{"alertname": AlertName}
	for name, value := range map[string]string{"case": it.Case, "rule": it.Rule, "severity": it.Severity, "cluster": cluster,
		"kind": it.Root.Kind, "namespace": it.Root.Namespace, "name": it.Root.Name} {
		if value = wording.Clean(value, wording.MaxField); value != "" { // an empty label is none to Alertmanager
			all[name] = value
		}
	}
	return all
}

func annotations(d notify.Digest, it notify.Item) map[string]string {
	all := map[string]string{"summary": wording.Heading(it) + " in " + wording.Clean(wording.Place(it), wording.MaxField),
		"purpose": string(wording.PurposeOf(it))}
	names := map[string]string{"What": "description", "In": "source", "Field": "field", "Found": "found", "Why": "why", "Fix": "fix", "Warning": "warning",
		"Next": "next", "Asks": "asks", "Lost": "lost", "Done": "done", "Undone": "undone", "Undo": "undo", "Again": "again"}
	for _, f := range wording.Fields(it, d.At) {
		if name := names[f.Label]; name != "" {
			all[name] = f.Value
		}
	}
	if len(d.Owner.Emails) > 0 {
		all["owner"] = wording.Clean(d.Owner.Key(), wording.MaxField)
	}
	return all
}
