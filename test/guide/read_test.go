package guide

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// guide is what a section of CONTRIBUTING.md has its reader do.
type guide struct {
	steps    []step
	commands []string
}

// step is one block of the section: a file to write, or lines to put beside one that is there.
type step struct {
	path string
	edit // the zero value: the text is the whole file
	text string
}

// edit says where lines go: after or before the one line that is, or begins with, another.
type edit struct{ side, anchor, begins string }

// What may stand before a block. A path is relative to the repository's root.
var (
	editLead = regexp.MustCompile("In `([^`]+)`[^`]*(after|before) the line (that begins with )?`([^`]+)`:$")
	fileLead = regexp.MustCompile("`([^` ]+/[^` ]+)`:$")
	fence    = regexp.MustCompile("^(`{3,})([a-z]*)$")
)

// read takes a section apart. Every block of it must be one of these; a reader would not know what
// to do with another.
func read(document, heading string) (g guide, err error) {
	_, text, found := strings.Cut(document, "\n## "+heading+"\n")
	if !found {
		return g, fmt.Errorf("there is no section %q", heading)
	}
	var lead []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		open := fence.FindStringSubmatch(lines[i])
		switch {
		case strings.HasPrefix(lines[i], "## "):
			return g, nil
		case open != nil:
			end := i + 1
			for ; end < len(lines) && lines[end] != open[1]; end++ {
			}
			if end == len(lines) {
				return g, fmt.Errorf("%s: a block has no end", heading)
			}
			if err := g.add(open[2], strings.Join(lead, " "), lines[i+1:end]); err != nil {
				return g, fmt.Errorf("%s: %w", heading, err)
			}
			i, lead = end, nil
		case lines[i] != "":
			lead = append(lead, lines[i])
		case i+1 < len(lines) && fence.FindString(lines[i+1]) == "":
			lead = nil // another paragraph
		}
	}
	return g, nil
}

func (g *guide) add(language, lead string, block []string) error {
	if language == "sh" {
		g.commands = append(g.commands, block...)
		return nil
	}
	s := step{text: strings.Join(block, "\n") + "\n"}
	if m := editLead.FindStringSubmatch(lead); m != nil {
		s.path, s.edit = m[1], edit{side: m[2], begins: m[3], anchor: m[4]}
	} else if m := fileLead.FindStringSubmatch(lead); m != nil {
		s.path = m[1]
	} else {
		return fmt.Errorf("nothing says where this goes: %q, after %q", block, lead)
	}
	g.steps = append(g.steps, s)
	return nil
}

// into puts the lines where they belong in a text.
func (s step) into(text string) (string, error) {
	lines, at := strings.SplitAfter(text, "\n"), -1
	for i, l := range lines {
		l = strings.TrimSpace(l)
		if l != s.anchor && (s.begins == "" || !strings.HasPrefix(l, s.anchor)) {
			continue
		}
		if at >= 0 {
			return "", fmt.Errorf("%s has the line %q more than once", s.path, s.anchor)
		}
		at = i
	}
	if at < 0 {
		return "", fmt.Errorf("%s has no line %q", s.path, s.anchor)
	}
	if s.side == "after" {
		at++
	}
	return strings.Join(lines[:at], "") + s.text + strings.Join(lines[at:], ""), nil
}

// What a reader could not follow is an error that names it.
func TestAGuideThatCannotBeFollowed(t *testing.T) {
	block := "\n\n```go\nx\n```\n"
	for text, want := range map[string]string{
		"## B\n":                         `no section "A"`,
		"## A\nWrite this:" + block:      "nothing says where this goes",
		"## A\n`a/b.go`:\n\nNow" + block: "nothing says where this goes",
		"## A\n`a/b.go`:\n\n```go\nx\n":  "has no end",
	} {
		if _, err := read("\n"+text, "A"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	g, err := read("\n## A\nIn `a/b.go`, where it\nbegins, before the line that begins with `two`:"+block+"\n```sh\nmake x\n```\n## B\n`c/d.go`:"+block, "A")
	if err != nil || len(g.steps) != 1 || len(g.commands) != 1 || g.commands[0] != "make x" {
		t.Fatalf("%+v, %v", g, err)
	}
	if got, err := g.steps[0].into("one\n\ttwo, three\n"); err != nil || got != "one\nx\n\ttwo, three\n" {
		t.Errorf("%q, %v", got, err)
	}
	for text, want := range map[string]string{"one\n": "a/b.go has no line", "two\ntwo\n": "more than once"} {
		if _, err := g.steps[0].into(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}
