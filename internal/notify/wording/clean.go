// Package wording says a digest in words, for every channel alike.
//
// Purpose: which fields a case has, in which order, and what each says.
//
// Concurrency: pure functions.
//
// Guarantees: what it returns is clean: one line each, bounded, without control, bidirectional
// or invisible characters.
//
// It will not: escape for a medium; each channel does that for its own.
package wording

import (
	"net/url"
	"strings"
	"unicode"
)

// Clean makes hostile text safe to stand on one line: white space becomes a space, control,
// bidirectional and invisible characters vanish, and it is cut to limit runes.
func Clean(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Noncharacter_Code_Point, unicode.Variation_Selector):
			continue
		}
		if n++; n > limit {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// Link returns s if it is a web address that hides nothing, else "".
func Link(s string) string {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
		len(s) > 2000 || hasOther(s, letters+"0123456789-._~:/?#[]@!$&'()*+,;=%") {
		return ""
	}
	return s
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func hasOther(s, allowed string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(allowed, r) })
}
