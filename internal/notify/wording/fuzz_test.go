package wording_test

import (
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

// longest is more than any line may be: a field of 600 runes with what stands around it.
const longest = 2000

// line wants one clean, bounded line.
func line(t *testing.T, what, s string) {
	t.Helper()
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > longest {
		t.Errorf("%s: %d runes, valid %v", what, utf8.RuneCountInString(s), utf8.ValidString(s))
	}
	if strings.ContainsFunc(s, func(r rune) bool {
		return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Variation_Selector, unicode.Zl, unicode.Zp)
	}) {
		t.Errorf("%s is more than one plain line: %q", what, s)
	}
}

// Whatever a tenant or a mistaken platform writes, every line is clean and bounded, every purpose has
// a title, no case is lost, and a link is an address of the web that hides nothing.
func FuzzWording(f *testing.F) {
	hostile := notifytest.Hostile("x", nil)
	f.Add(hostile.Items[0].Message[:40], "https://ok.example/a?b=c#d", "warning", 1, 3, int64(86_400), 300)
	f.Add("a\u2028b\ufe0f\U000e0061\ue000\ufdd0\xff", "http://a@b/", "enforced", -1, 0, int64(-5), 0)
	f.Add(strings.Repeat("\u0301", 700), "HTTPS://x.example/\u202e", "needs-human\n", 0, -2, int64(1)<<40, -1)
	f.Add("", "//x", "resolved", 7, 7, int64(0), 1)
	f.Fuzz(func(t *testing.T, s, u, purpose string, n, needed int, in int64, limit int) {
		limit = min(limit, 1000) // the callers' are constants
		clean := wording.Clean(s, limit)
		line(t, "Clean", clean)
		if utf8.RuneCountInString(clean) > max(limit, 0)+1 || wording.Clean(clean, limit+1) != clean {
			t.Errorf("%q became %q, of at most %d", s, clean, limit)
		}
		if l := wording.Link(u); l != "" {
			at, err := url.Parse(l)
			if err != nil || l != u || at.Host == "" || at.User != nil || at.Scheme != "http" && at.Scheme != "https" || strings.ContainsAny(l, " \"<>\\`{}|^") {
				t.Errorf("%q is a link: %+v, %v", l, at, err)
			}
			line(t, "Link", l)
		}
		d := notifytest.HostileWith("id", s, u)
		it := &d.Items[0]
		it.Purpose, it.N, it.Needed, it.Before, it.Done, it.Back, it.Cluster, it.Repeats = purpose, n, needed, s, s, s, s, s
		it.NextAt = d.At.Add(time.Duration(in % (1 << 32) * int64(time.Second)))
		other := *it
		other.Case, other.Purpose = "c-2", string(docket.AllClear)
		d.Items = append(d.Items, other)
		said(t, d)
		groups, more := wording.Groups(d)
		count := more
		for _, g := range groups {
			count += len(g.Items)
			if wording.Title(g.Purpose) == "" {
				t.Errorf("%q has no title", g.Purpose)
			}
		}
		if count != len(d.Items) {
			t.Errorf("%d of %d cases are left", count, len(d.Items))
		}
		if at, act := wording.FirstStep(d.Items); act && at.IsZero() {
			t.Error("an act without a date")
		}
	})
}

// said holds all that is said of a digest to what every line is.
func said(t *testing.T, d notify.Digest) {
	t.Helper()
	for _, s := range append([]string{wording.Intro(d), wording.Footer(d), wording.Summary(d)}, wording.Tally(d)...) {
		line(t, "a line of the digest", s)
	}
	for _, it := range d.Items {
		line(t, "the heading", wording.Heading(it))
		for _, field := range wording.Fields(it, d.At) {
			line(t, field.Label, field.Value)
			if field.Value == "" || field.Label == "" {
				t.Errorf("a field that says nothing: %+v", field)
			}
		}
	}
}
