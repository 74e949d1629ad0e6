package webhook

import (
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/post"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

// Type is the CloudEvent's type; a change that breaks a reader gets another.
const Type = "io.k8guard.notice.v1"

// envelope is a CloudEvent 1.0 in structured JSON.
type envelope struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Type            string    `json:"type"`
	Source          string    `json:"source"`
	Subject         string    `json:"subject,omitempty"`
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            Notice    `json:"data"`
}

// Notice is the event's data. Names of fields are a promise; fields may be added.
type Notice struct {
	Notice  string   `json:"notice"` // its key in K8Guard's ledger
	Number  int      `json:"number"` // of this owner and webhook, from 1
	Cluster string   `json:"cluster"`
	Owner   Owner    `json:"owner"`
	Report  string   `json:"report,omitempty"`
	Text    []string `json:"text,omitempty"` // set when there are more cases than one notice names
	Cases   []Case   `json:"cases"`
	More    int      `json:"more,omitempty"` // cases beyond those listed
}

// Owner is who is told.
type Owner struct {
	Addresses []string `json:"addresses"`
	From      string   `json:"from,omitempty"`
	Platform  bool     `json:"platform"`
}

// Case is one case of a notice. Purpose is warning, enforced, undone, resolved or needs-human.
type Case struct {
	ID        string     `json:"id"`
	Purpose   string     `json:"purpose"`
	Warning   int        `json:"warning,omitempty"` // its number
	Needed    int        `json:"needed,omitempty"`  // warnings before an act; 0 when no act follows
	Rule      string     `json:"rule"`
	Title     string     `json:"title"`
	Severity  string     `json:"severity"`
	Cluster   string     `json:"cluster,omitempty"` // where a notice speaks of several
	Kind      string     `json:"kind"`
	Namespace string     `json:"namespace,omitempty"`
	Name      string     `json:"name"`
	UID       string     `json:"uid"`
	NextStep  string     `json:"nextStep,omitempty"`
	NextAt    *time.Time `json:"nextAt,omitempty"`
	URL       string     `json:"url,omitempty"`
	// Text says the case in words, as a mail would.
	Text []Line `json:"text"`
}

// Line is one line of a case in words.
type Line struct {
	Label string `json:"label"`
	Value string `json:"value"`
}

// compose is the body: it depends on the digest alone, so that a repetition is the same.
func compose(d notify.Digest) ([]byte, error) {
	body, err := json.Marshal(envelope{SpecVersion: "1.0", ID: post.ID(d), Type: Type, Time: d.At.UTC(),
		Source:  "/k8guard/clusters/" + url.PathEscape(wording.Clean(d.Cluster, 200)),
		Subject: wording.Clean(d.Owner.Key(), wording.MaxField), DataContentType: "application/json", Data: notice(d)})
	if err != nil {
		return nil, fmt.Errorf("compose the event: %w", err)
	}
	return body, nil
}

func notice(d notify.Digest) Notice {
	short := func(s string) string { return wording.Clean(s, wording.MaxField) }
	n := Notice{Notice: wording.Clean(d.ID, 400), Number: d.Number, Cluster: short(d.Cluster), Report: wording.Link(d.URL), Text: wording.Tally(d),
		Owner: Owner{From: short(d.Owner.From), Platform: d.Owner.Platform, Addresses: []string{}}, Cases: []Case{}}
	for _, a := range d.Owner.Emails {
		n.Owner.Addresses = append(n.Owner.Addresses, short(a))
	}
	groups, more := wording.Groups(d)
	n.More = more
	for _, g := range groups {
		for _, it := range g.Items {
			c := Case{ID: short(it.Case), Purpose: string(g.Purpose), Warning: it.N, Needed: it.Needed, Rule: short(it.Rule), Title: short(it.Title),
				Severity: short(it.Severity), Cluster: short(it.Cluster), Kind: short(it.Root.Kind), Namespace: short(it.Root.Namespace),
				Name: short(it.Root.Name), UID: short(it.Root.UID), NextStep: short(it.NextStep), URL: wording.Link(it.URL)}
			if !it.NextAt.IsZero() {
				at := it.NextAt.UTC()
				c.NextAt = &at
			}
			for _, f := range wording.Fields(it, d.At) {
				c.Text = append(c.Text, Line(f))
			}
			n.Cases = append(n.Cases, c)
		}
	}
	return n
}
