package report

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// clean makes hostile text harmless to look at: what a reader cannot see, or what turns
// the direction of writing, is spelt out.
func clean(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r != ' ' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) || r == unicode.ReplacementChar) {
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// relative is t as seen from now: "in 3 h", "12 min ago". The zero time is "".
func relative(now, t time.Time) string {
	if t.IsZero() {
		return ""
	}
	d := t.Sub(now)
	switch {
	case d.Abs() < 30*time.Second:
		return "now"
	case d > 0:
		return "in " + span(d)
	}
	return span(-d) + " ago"
}

func span(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

func exact(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func step(name string) string {
	switch name {
	case "notify":
		return "Warn the owner"
	case "act":
		return "Enforce"
	case "wait":
		return "Wait"
	case "", "none":
		return "Nothing"
	}
	return clean(sentence(name))
}

// sentence begins with a capital, where it begins with a letter of ours.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}
