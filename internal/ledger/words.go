package ledger

import (
	"strings"
	"unicode"
)

const (
	maxWords = 16
	maxWord  = 64 // runes
	// minPrefix is how much a word must say before its * counts.
	minPrefix = 3
)

// Word is one word that a reader looks for. Text may hold signs: it is then the words
// between them, in this order and side by side.
type Word struct {
	Text   string
	Prefix bool // what begins so is meant, too
}

// Words reads what someone typed into a search box. Nothing in it is syntax, but for a * at
// the end of a word of three letters or more; what has no letter and no digit is left out,
// and so is what comes after sixteen words.
func Words(text string) []Word {
	var words []Word
	for _, field := range strings.FieldsFunc(strings.ToValidUTF8(text, " "), apart) {
		if !strings.ContainsFunc(field, telling) {
			continue
		}
		w := Word{Text: strings.TrimRight(field, "*")}
		w.Prefix = w.Text != field && len([]rune(w.Text)) >= minPrefix && telling(last(w.Text))
		if runes := []rune(w.Text); len(runes) > maxWord {
			w.Text, w.Prefix = string(runes[:maxWord]), true
		}
		if words = append(words, w); len(words) == maxWords {
			break
		}
	}
	return words
}

func apart(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) || r == '"' }

func telling(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func last(s string) rune {
	runes := []rune(s)
	return runes[len(runes)-1]
}
