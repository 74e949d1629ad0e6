package slack

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

// Slack's limits are 150 characters in a header, 3000 in a section and 50 blocks; escaped text is
// up to five times as long, so what is cut is cut before.
const (
	maxHeader    = 150
	maxSection   = 3000
	maxMentioned = 20
)

// blocks say one case. First is true for a notice's first case, which carries what the notice
// says of all.
func blocks(d notify.Digest, it notify.Item, first bool) []slack.Block {
	all := []slack.Block{slack.NewHeaderBlock(plain(cut(inert(heading(it)), maxHeader)))}
	if names := mentioned(slices.Concat(d.Mentions, d.Tags)); len(names) > 0 {
		all = append(all, section(markup(mention(names))))
	}
	var lines []string
	if first {
		lines = append(lines, wording.Tally(d)...)
	}
	lines = append(lines, wording.Heading(it))
	for _, f := range wording.Fields(it, d.At) {
		if f.Label != "Link" {
			lines = append(lines, f.Label+": "+f.Value)
		}
	}
	for _, text := range chunks(lines) {
		all = append(all, section(plain(text)))
	}
	if u := wording.Link(it.URL); u != "" {
		all = append(all, section(markup("<"+escaped(u)+"|Open the case>")))
	}
	return append(all, slack.NewContextBlock("", plain(cut(inert(under(d)), maxSection))))
}

func heading(it notify.Item) string {
	title := wording.Clean(it.Title, 90)
	switch p := wording.PurposeOf(it); {
	case p != docket.Warning:
		return wording.Title(p) + ": " + title
	case it.Needed > 0:
		return fmt.Sprintf("Warning %d of %d: %s", it.N, it.Needed, title)
	}
	return "Warning: " + title
}

func under(d notify.Digest) string {
	s := fmt.Sprintf("K8Guard in cluster %s, notice %d", wording.Clean(d.Cluster, 60), d.Number)
	if f := wording.Footer(d); f != "" {
		s += ". " + f
	}
	return s
}

// fallback is for programs that show no blocks, and for notifications: nothing of a tenant's.
func fallback(d notify.Digest, it notify.Item) string {
	return apart(fmt.Sprintf("K8Guard in cluster %s: %s, %s, case %s", wording.Clean(d.Cluster, 60), wording.Title(wording.PurposeOf(it)),
		wording.Clean(it.Rule, 80), wording.Clean(it.Case, 80)))
}

// mentioned leaves what is an id and nothing else.
func mentioned(ids []string) (names []string) {
	for _, id := range ids {
		if config.SlackID(id) && !slices.Contains(names, id) && len(names) < maxMentioned {
			names = append(names, id)
		}
	}
	return names
}

func mention(ids []string) string {
	var all []string
	for _, id := range ids {
		if id[0] == 'S' {
			all = append(all, "<!subteam^"+id+">")
		} else {
			all = append(all, "<@"+id+">")
		}
	}
	return strings.Join(all, " ")
}

// inert is text in which nothing mentions, links or formats: it is escaped, and an address of a
// tenant's is set apart.
func inert(s string) string { return escaped(apart(s)) }

func apart(s string) string { return strings.ReplaceAll(s, "://", ": //") }

// escaped makes entities of Slack's three characters.
func escaped(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// cut shortens escaped text, and leaves no half entity.
func cut(s string, limit int) string {
	if utf8.RuneCountInString(s) <= limit {
		return s
	}
	s = string([]rune(s)[:limit-1])
	if i := strings.LastIndexByte(s, '&'); i >= 0 && !strings.Contains(s[i:], ";") {
		s = s[:i]
	}
	return s + "…"
}

// chunks joins lines into texts that fit a section each.
func chunks(lines []string) (texts []string) {
	for _, l := range lines {
		l = cut(inert(l), maxSection)
		n := len(texts)
		if n > 0 && utf8.RuneCountInString(texts[n-1])+utf8.RuneCountInString(l)+1 <= maxSection {
			texts[n-1] += "\n" + l
			continue
		}
		texts = append(texts, l)
	}
	return texts
}

// plain is text that Slack does not format; emoji are left as they were written.
func plain(s string) *slack.TextBlockObject {
	off := false
	return &slack.TextBlockObject{Type: slack.PlainTextType, Text: s, Emoji: &off}
}

func markup(s string) *slack.TextBlockObject {
	return &slack.TextBlockObject{Type: slack.MarkdownType, Text: s, Verbatim: true}
}

func section(text *slack.TextBlockObject) slack.Block { return slack.NewSectionBlock(text, nil, nil) }
