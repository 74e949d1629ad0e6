// Package notifytest holds the contract that every channel passes.
//
// Purpose: to prove a [notify.Channel] against a server that records and fails.
//
// Concurrency: [Run] runs its parts one after the other, each with a channel of its own.
//
// Guarantees: judged is what the server recorded, never what the channel says of itself.
//
// It will not: know a medium; what is particular to mail or chat is tested there.
package notifytest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/notify"
)

// Behaviour is what a recorder's server is to do.
type Behaviour string

// The behaviours. CutAfter records the message and breaks the line before the reply; Stall
// accepts the connection and is silent for longer than a test waits.
const (
	Works    Behaviour = "works"
	Refuses  Behaviour = "refuses the connection"
	Rejects  Behaviour = "rejects with a permanent error"
	Defers   Behaviour = "rejects with a temporary error"
	CutAfter Behaviour = "cuts after the message"
	Stall    Behaviour = "stalls"
)

// Facts are what the channel was made with.
type Facts struct {
	To []string // recipients that the channel may write to
	// Place is where every notice of the channel goes, whoever owns the case: a room, an address.
	// It is what the channel accepts for; To is then who the owner is, and no recipient.
	Place  string
	Secret string // its password or token; empty when it has none
	// ID is how the medium names a notice; nil: by its key.
	ID func(notify.Digest) string
}

func (f Facts) id(key string) string {
	if f.ID == nil {
		return key
	}
	return f.ID(Sample(key, f.To))
}

// accepted is what a confirmed notice was taken for.
func (f Facts) accepted() []string {
	if f.Place != "" {
		return []string{f.Place}
	}
	return f.To
}

// Received is one message as its reader's program sees it.
type Received struct {
	ID      string // the digest's, as the medium carries it
	To      []string
	Text    string // what is shown, without the medium's markup
	Escapes string // structure that the digest's text must not have made; empty when none
}

// Recorder is the server behind the channel.
type Recorder interface {
	Facts() Facts
	Behave(Behaviour)
	Received() []Received
}

// Setup makes a channel and the server it talks to, both for one test.
type Setup func(t *testing.T) (notify.Channel, Recorder)

// Run proves the contract.
func Run(t *testing.T, setup Setup) {
	t.Run("confirmed is recorded exactly once", func(t *testing.T) { confirmed(t, setup) })
	for _, b := range []Behaviour{Refuses, Rejects, Defers} {
		t.Run("failed is not recorded: "+string(b), func(t *testing.T) { fails(t, setup, b) })
	}
	t.Run("unknown when cut after the message", func(t *testing.T) { unknown(t, setup) })
	t.Run("hostile text does not break out", func(t *testing.T) { hostile(t, setup) })
	t.Run("respects its context", func(t *testing.T) { stalls(t, setup) })
	t.Run("no recipient fails", func(t *testing.T) { nobody(t, setup) })
}

// Sample is a plain digest.
func Sample(id string, to []string) notify.Digest {
	at := time.Date(2026, 11, 24, 10, 0, 0, 0, time.UTC)
	return notify.Digest{
		ID: id, Number: 7, Cluster: "prod", To: to, At: at, URL: "https://k8guard.example/report",
		Owner: v1.Owner{Emails: to, From: "Namespace shop, annotation team/email-ids", Platform: true},
		Items: []notify.Item{{
			Case: "c1", Docket: "cl/uid1", Purpose: "warning", N: 2, Needed: 3, Rule: "IMAGE_REPO",
			Title: "Image from an unapproved registry", Severity: "high", Why: "Nobody checks it.",
			Remedy: "Use an approved registry.", Root: v1.Root{Kind: "Deployment", Namespace: "shop", Name: "web", UID: "uid1"},
			Source: "container web", Message: "image evil.example/web is not approved", Path: "spec.template.spec.containers[0].image",
			Evidence: "evil.example/web:1", NextStep: "warning 3 of 3", NextAt: at.Add(24 * time.Hour),
		}},
	}
}

// Hostile is a digest in which everything that a tenant can write attacks.
func Hostile(id string, to []string) notify.Digest {
	const bad = "x\r\nBcc: thief@evil.example\r\n\r\n.\r\nQUIT\r\n<script>alert(1)</script><img src=x onerror=a>\"'&\u202e\u2066\u200b\x00\x1b[31m</pre></td><!channel> @everyone"
	d := Sample(id, to)
	d.Items[0].Title, d.Items[0].Message, d.Items[0].Source, d.Items[0].Path = bad, bad, bad, bad
	d.Items[0].Root = v1.Root{Kind: bad, Namespace: bad, Name: bad, UID: bad}
	d.Items[0].Evidence = strings.Repeat("A", 1<<20) + bad
	d.Items[0].Lost, d.Items[0].Undo, d.Items[0].NextStep = []string{bad}, bad, bad
	d.Items[0].URL, d.URL, d.Owner.From = "javascript:alert(1)", "data:text/html,"+bad, bad
	return d
}

func send(t *testing.T, ch notify.Channel, rec Recorder, d notify.Digest) notify.Outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	out := ch.Send(ctx, d)
	if secret := rec.Facts().Secret; secret != "" && strings.Contains(fmt.Sprintf("%+v %#v", out, ch), secret) {
		t.Error("the secret shows in the outcome, or in the printed channel")
	}
	return out
}

func want(t *testing.T, out notify.Outcome, state notify.OutcomeState, rec Recorder, recorded int) {
	t.Helper()
	if out.State != state {
		t.Errorf("outcome is %s (%s), want %s", out.State, out.Detail, state)
	}
	if got := len(rec.Received()); got != recorded {
		t.Errorf("the server recorded %d messages, want %d", got, recorded)
	}
	if out.State != notify.Confirmed && (out.Detail == "" || len(out.Accepted) > 0) {
		t.Errorf("%s must say why and list nobody as accepted: %+v", out.State, out)
	}
}

// HostileWith is Hostile with one text in every place that a tenant, or a mistaken platform, can
// write, and one address in every place of an address.
func HostileWith(id, s, u string) notify.Digest {
	d := Sample(id, nil) // not Hostile: a fuzzer has no time for a field of a megabyte
	d.Cluster, d.URL, d.Owner.From = s, u, s
	it := &d.Items[0]
	it.Lost = []string{s}
	it.Case, it.Title, it.Rule, it.Severity, it.Why, it.Remedy, it.Message, it.Evidence = s, s, s, s, s, s, s, s
	it.Root = v1.Root{Kind: s, Namespace: s, Name: s, UID: s}
	it.Source, it.Path, it.Undo, it.URL, it.NextStep, it.Human, it.Purpose = s, s, s, u, s, s, "enforced"
	d.Summary = []notify.Count{{Rule: s, Cases: 1}}
	return d
}
