package wording

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
)

// MaxField bounds one field, in runes.
const MaxField = 300

// Group is all that a digest says for one purpose of one root.
type Group struct {
	Purpose docket.Purpose
	Root    string
	Items   []notify.Item
}

// Groups sorts by purpose, then root, and cuts at [notify.MaxItems]; more counts what was cut.
func Groups(d notify.Digest) (all []Group, more int) {
	items := slices.Clone(d.Items)
	order := Purposes()
	rank := func(it notify.Item) int { return slices.Index(order, PurposeOf(it)) }
	slices.SortStableFunc(items, func(a, b notify.Item) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Root.String(), b.Root.String()))
	})
	if len(items) > notify.MaxItems {
		items, more = items[:notify.MaxItems], len(items)-notify.MaxItems
	}
	for _, it := range items {
		p, root := PurposeOf(it), Place(it)
		if n := len(all); n == 0 || all[n-1].Purpose != p || all[n-1].Root != root {
			all = append(all, Group{Purpose: p, Root: root})
		}
		all[len(all)-1].Items = append(all[len(all)-1].Items, it)
	}
	return all, more
}

// Place is an item's root, with its cluster where there are several.
func Place(it notify.Item) string {
	if it.Cluster == "" {
		return it.Root.String()
	}
	return it.Cluster + ": " + it.Root.String()
}

// Title heads the cases of one purpose.
func Title(p docket.Purpose) string {
	switch p {
	case docket.Enforced:
		return "Acted on"
	case docket.Undone:
		return "Undone"
	case docket.AllClear:
		return "Resolved"
	case Trial:
		return "A test"
	case docket.NeedsHuman:
		return "Needs a human"
	default:
		return "Warnings"
	}
}

// Field is one labelled line of an item; the value is clean, not yet escaped.
type Field struct{ Label, Value string }

// Fields lists what is to be said of an item, for text and HTML alike.
func Fields(it notify.Item, now time.Time) []Field {
	var all []Field
	add := func(label, value string, limit int) {
		if value = Clean(value, limit); value != "" {
			all = append(all, Field{label, value})
		}
	}
	add("What", it.Message, MaxField)
	add("Where", Place(it), MaxField)
	add("Case", number(it), MaxField)
	add("Again", it.Before, MaxField)
	add("In", it.Source, MaxField)
	add("Field", it.Path, MaxField)
	add("Found", it.Evidence, MaxField)
	add("Why", it.Why, 2*MaxField)
	if PurposeOf(it) != docket.AllClear { // it is mended
		add("Fix", it.Remedy, 2*MaxField)
	}
	add("Warning", ordinal(it), MaxField)
	add("Next", next(it, now), MaxField)
	add("Asks", it.Human, 2*MaxField)
	add("Lost", lost(it), 2*MaxField)
	switch PurposeOf(it) {
	case docket.Undone:
		add("Done", it.Done, MaxField)
		add("Undone", it.Back, 2*MaxField)
	case docket.Enforced:
		add("Done", it.Done, MaxField)
		add("Undo", it.Undo, 2*MaxField)
		if it.Undo != "" {
			add("Who", "the platform team undoes it, "+where(it)+"; ask them", MaxField)
		}
	}
	add("Link", Link(it.URL), 2000)
	return all
}

// number is the case's id, and for whom a person's step waits how to see it and to say so.
func number(it notify.Item) string {
	id := Clean(it.Case, 80)
	if id == "" || PurposeOf(it) != docket.NeedsHuman {
		return id
	}
	return fmt.Sprintf(`%s; "k8guard case %s" shows it, "k8guard ack %s --reason ..." says that you saw it, %s`, id, id, id, where(it))
}

// where is the place of what is done about an item: a reader has no K8Guard at hand.
func where(it notify.Item) string {
	if Link(it.URL) != "" {
		return "on the host of K8Guard, or by the button on its page (Link)"
	}
	return "on the host of K8Guard"
}

func ordinal(it notify.Item) string {
	if PurposeOf(it) != docket.Warning || it.N == 0 {
		return ""
	}
	text := fmt.Sprintf("%d of %d", it.N, it.Needed)
	if it.Needed == 0 {
		text = fmt.Sprintf("%d, no act follows", it.N)
	}
	if again := Clean(it.Repeats, MaxField); again != "" {
		text += ", " + again
	}
	return text
}

func next(it notify.Item, now time.Time) string {
	step := Clean(it.NextStep, 100)
	if it.NextAt.IsZero() {
		return step
	}
	if step == "" {
		step = "next step"
	}
	return fmt.Sprintf("%s on %s (%s)", step, it.NextAt.UTC().Format("Mon, 02 Jan 2006 15:04:05 UTC"), remaining(it.NextAt.Sub(now)))
}

func remaining(d time.Duration) string {
	day := 24 * time.Hour
	switch {
	case d <= 0:
		return "now due"
	case d < time.Minute:
		return "in less than a minute"
	case d < time.Hour:
		return fmt.Sprintf("in %d min", int(d.Minutes())+1)
	case d < 2*day:
		return fmt.Sprintf("in %d h %d min", int(d/time.Hour), int(d%time.Hour/time.Minute))
	default:
		return fmt.Sprintf("in %d d %d h", int(d/day), int(d%day/time.Hour))
	}
}

func lost(it notify.Item) string {
	if len(it.Lost) == 0 {
		return ""
	}
	verb := "an act loses for good: "
	if PurposeOf(it) == docket.Enforced {
		verb = "lost for good: "
	}
	return verb + strings.Join(it.Lost, ", ")
}

// Heading is the item's first line: "Title (RULE, high)".
func Heading(it notify.Item) string {
	return fmt.Sprintf("%s (%s, %s)", Clean(it.Title, MaxField), Clean(it.Rule, 80), Clean(it.Severity, 20))
}

// Intro is the first line.
func Intro(d notify.Digest) string {
	return fmt.Sprintf("K8Guard in cluster %s: %s.", Clean(d.Cluster, 60), Summary(d))
}

// Tally says how many cases are new to the owner, by rule, and what becomes of those that
// this message does not name; nothing when it is no summary.
func Tally(d notify.Digest) []string {
	if len(d.Summary) == 0 {
		return nil
	}
	total := 0
	var lines []string
	for _, c := range d.Summary {
		total += c.Cases
		lines = append(lines, fmt.Sprintf("%s: %d", Clean(c.Rule, 80), c.Cases))
	}
	least := ""
	if d.More {
		least = "at least "
	}
	first := fmt.Sprintf("%s%d cases are new to you; this message names the %d worst of them. Only what a message names counts as warned of.",
		least, total, min(total, named(d)))
	last := "The others are told of later, some at a time"
	if !d.RestUntil.IsZero() {
		last += ", from " + d.RestUntil.UTC().Format(time.RFC3339) + " on"
	}
	if Link(d.URL) != "" {
		last += "; the report shows them now"
	}
	return append(append([]string{first}, lines...), last+".")
}

// named counts the first warnings of a digest.
func named(d notify.Digest) int {
	n := 0
	for _, it := range d.Items {
		if PurposeOf(it) == docket.Warning && it.N == 1 {
			n++
		}
	}
	return n
}

// Footer says why somebody is told; empty where that is unknown.
func Footer(d notify.Digest) string {
	from := Clean(d.Owner.From, MaxField)
	if from == "" {
		return ""
	}
	return "You get this message because of: " + from + "."
}
