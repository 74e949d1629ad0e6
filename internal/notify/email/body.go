package email

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
)

const maxField = 300

// group is all that a digest says for one purpose of one root.
type group struct {
	purpose docket.Purpose
	root    string
	items   []notify.Item
}

// groups sorts by purpose, then root, and cuts at [notify.MaxItems]; more counts what was cut.
func groups(d notify.Digest) (all []group, more int) {
	items := slices.Clone(d.Items)
	order := purposes()
	rank := func(it notify.Item) int { return slices.Index(order, purposeOf(it)) }
	slices.SortStableFunc(items, func(a, b notify.Item) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Root.String(), b.Root.String()))
	})
	if len(items) > notify.MaxItems {
		items, more = items[:notify.MaxItems], len(items)-notify.MaxItems
	}
	for _, it := range items {
		p, root := purposeOf(it), place(it)
		if n := len(all); n == 0 || all[n-1].purpose != p || all[n-1].root != root {
			all = append(all, group{purpose: p, root: root})
		}
		all[len(all)-1].items = append(all[len(all)-1].items, it)
	}
	return all, more
}

// place is an item's root, with its cluster where there are several.
func place(it notify.Item) string {
	if it.Cluster == "" {
		return it.Root.String()
	}
	return it.Cluster + ": " + it.Root.String()
}

func title(p docket.Purpose) string {
	switch p {
	case docket.Enforced:
		return "Acted on"
	case docket.Undone:
		return "Undone"
	case docket.AllClear:
		return "Resolved"
	case docket.NeedsHuman:
		return "Needs a human"
	default:
		return "Warnings"
	}
}

// field is one labelled line of an item; the value is clean, not yet escaped.
type field struct{ label, value string }

// fields lists what is to be said of an item, for text and HTML alike.
func fields(it notify.Item, now time.Time) []field {
	var all []field
	add := func(label, value string, limit int) {
		if value = clean(value, limit); value != "" {
			all = append(all, field{label, value})
		}
	}
	add("What", it.Message, maxField)
	add("Where", place(it), maxField)
	add("Case", number(it), maxField)
	add("Again", it.Before, maxField)
	add("In", it.Source, maxField)
	add("Field", it.Path, maxField)
	add("Found", it.Evidence, maxField)
	add("Why", it.Why, 2*maxField)
	if purposeOf(it) != docket.AllClear { // it is mended
		add("Fix", it.Remedy, 2*maxField)
	}
	add("Warning", ordinal(it), maxField)
	add("Next", next(it, now), maxField)
	add("Asks", it.Human, 2*maxField)
	add("Lost", lost(it), 2*maxField)
	switch purposeOf(it) {
	case docket.Undone:
		add("Done", it.Done, maxField)
		add("Undone", it.Back, 2*maxField)
	case docket.Enforced:
		add("Done", it.Done, maxField)
		add("Undo", it.Undo, 2*maxField)
		if it.Undo != "" {
			add("Who", "the platform team undoes it, "+where(it)+"; ask them", maxField)
		}
	}
	add("Link", link(it.URL), 2000)
	return all
}

// number is the case's id, and for whom a person's step waits how to see it and to say so.
func number(it notify.Item) string {
	id := clean(it.Case, 80)
	if id == "" || purposeOf(it) != docket.NeedsHuman {
		return id
	}
	return fmt.Sprintf(`%s; "k8guard case %s" shows it, "k8guard ack %s --reason ..." says that you saw it, %s`, id, id, id, where(it))
}

// where is the place of what is done about an item: a reader of mail has no K8Guard at hand.
func where(it notify.Item) string {
	if link(it.URL) != "" {
		return "on the host of K8Guard, or by the button on its page (Link)"
	}
	return "on the host of K8Guard"
}

func ordinal(it notify.Item) string {
	switch {
	case purposeOf(it) != docket.Warning || it.N == 0:
		return ""
	case it.Needed == 0:
		return fmt.Sprintf("%d, no act follows", it.N)
	default:
		return fmt.Sprintf("%d of %d", it.N, it.Needed)
	}
}

func next(it notify.Item, now time.Time) string {
	step := clean(it.NextStep, 100)
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
	if purposeOf(it) == docket.Enforced {
		verb = "lost for good: "
	}
	return verb + strings.Join(it.Lost, ", ")
}

// heading is the item's first line: "Title (RULE, high)".
func heading(it notify.Item) string {
	return fmt.Sprintf("%s (%s, %s)", clean(it.Title, maxField), clean(it.Rule, 80), clean(it.Severity, 20))
}

func intro(d notify.Digest) string {
	return fmt.Sprintf("K8Guard in cluster %s: %s.", clean(d.Cluster, 60), summary(d))
}

// tally says how many cases are new to the owner, by rule, and what becomes of those that
// this mail does not name; nothing when it is no summary.
func tally(d notify.Digest) []string {
	if len(d.Summary) == 0 {
		return nil
	}
	total := 0
	var lines []string
	for _, c := range d.Summary {
		total += c.Cases
		lines = append(lines, fmt.Sprintf("%s: %d", clean(c.Rule, 80), c.Cases))
	}
	least := ""
	if d.More {
		least = "at least "
	}
	first := fmt.Sprintf("%s%d cases are new to you; this mail names the %d worst of them. Only what a mail names counts as warned of.",
		least, total, min(total, named(d)))
	last := "The others are told of later, some at a time"
	if !d.RestUntil.IsZero() {
		last += ", from " + d.RestUntil.UTC().Format(time.RFC3339) + " on"
	}
	if link(d.URL) != "" {
		last += "; the report shows them now"
	}
	return append(append([]string{first}, lines...), last+".")
}

// named counts the first warnings of a digest.
func named(d notify.Digest) int {
	n := 0
	for _, it := range d.Items {
		if purposeOf(it) == docket.Warning && it.N == 1 {
			n++
		}
	}
	return n
}

func footer(d notify.Digest) string {
	from := clean(d.Owner.From, maxField)
	if from == "" {
		return ""
	}
	return "You get this mail because of: " + from + "."
}
