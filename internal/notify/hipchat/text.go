package hipchat

import (
	"fmt"
	"strings"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

const (
	// maxMessage is how long a room notification may be, in characters.
	maxMessage = 10_000
	// maxTagged is how many are mentioned in one message.
	maxTagged = 20
	// maxHead bounds all that stands around the cases: tags, the counts, titles and the link.
	maxHead = 2700
	// maxLine bounds what is said of a case: all of a notice's cases must fit, for what is not
	// named does not count as told.
	maxLine = (maxMessage - maxHead) / notify.MaxItems
	// maxAddress bounds a link.
	maxAddress = 500
)

// color is red where something was done or is asked, yellow for warnings, green when all is over.
func color(d notify.Digest) string {
	c := "green"
	for _, it := range d.Items {
		switch wording.PurposeOf(it) {
		case docket.Enforced, docket.NeedsHuman:
			return "red"
		case docket.Warning:
			c = "yellow"
		}
	}
	return c
}

// text is the whole message.
func text(d notify.Digest) string {
	var lines []string
	if names := tagged(d); len(names) > 0 {
		lines = append(lines, "@"+strings.Join(names, " @"))
	}
	lines = append(lines, plain(wording.Intro(d), 200))
	for i, line := range wording.Tally(d) {
		if i < 8 {
			lines = append(lines, opening(line, 80))
		}
	}
	groups, more := wording.Groups(d)
	var last docket.Purpose
	for _, g := range groups {
		if g.Purpose != last {
			lines, last = append(lines, wording.Title(g.Purpose)+":"), g.Purpose
		}
		for _, it := range g.Items {
			lines = append(lines, "- "+line(d, it))
		}
	}
	if more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	if u := wording.Link(d.URL); u != "" && len(u) <= maxAddress {
		lines = append(lines, "Report: "+u)
	}
	return cut(strings.Join(lines, "\n"), maxMessage)
}

// line says one case; the full text is behind its id, and in a message of one case below it.
func line(d notify.Digest, it notify.Item) string {
	s := "case " + plain(it.Case, 40) + ", " + plain(it.Rule, 40)
	if len(d.Items) > 1 { // the step and its date first: a warning that does not say them is none
		if it.NextStep != "" {
			s += ", " + plain(it.NextStep, 40)
		}
		if !it.NextAt.IsZero() {
			s += " " + it.NextAt.UTC().Format("2006-01-02 15:04 UTC")
		}
		return cut(s+", "+plain(wording.Place(it), 80)+", "+plain(it.Severity, 10), maxLine-len("- \n"))
	}
	s += ", " + plain(wording.Place(it), 80)
	s += "\n" + opening(it.Title, 200) + ", " + plain(it.Severity, 10)
	for _, f := range wording.Fields(it, d.At) {
		switch {
		case f.Label != "Link":
			s += "\n" + f.Label + ": " + plain(f.Value, 300)
		case len(f.Value) <= maxAddress:
			s += "\nLink: " + f.Value
		}
	}
	return s
}

func tagged(d notify.Digest) []string {
	all := append(mentions(d.Mentions), mentions(d.Tags)...)
	seen := map[string]bool{}
	var once []string
	for _, name := range all {
		if !seen[name] {
			seen[name], once = true, append(once, name)
		}
	}
	return once
}

// mentions leaves what may stand behind an @: nothing that calls everybody, nothing that ends the
// name early.
func mentions(ids []string) (names []string) {
	for _, id := range ids {
		if config.HipChatID(id) && len(names) < maxTagged {
			names = append(names, id)
		}
	}
	return names
}

// opening is plain text at the beginning of a line, where a slash might be read as a command.
func opening(s string, limit int) string { return strings.TrimLeft(plain(s, limit), "/ ") }

// plain leaves letters, digits and a little punctuation, none of which mentions, formats, or makes
// an emoticon; the rest becomes "_". Where an address would begin, a space comes between.
func plain(s string, limit int) string {
	const punctuation = " ._-/,=+%\"'?!#"
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune(punctuation, r):
			return r
		case r == ':' || r == ';':
			return ','
		}
		return '_'
	}, wording.Clean(s, 2*limit))
	s = strings.ReplaceAll(strings.ReplaceAll(s, "//", "/ /"), "//", "/ /") // again: of three or more, two are left side by side
	s = strings.ReplaceAll(s, "www.", "www .")
	return cut(s, limit)
}

// cut shortens; its dots stand apart, for behind "www" one would make an address.
func cut(s string, limit int) string {
	if len(s) > limit {
		return s[:limit-3] + " .."
	}
	return s
}
