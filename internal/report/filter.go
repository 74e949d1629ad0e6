package report

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/rule"
)

func statuses() []string { return ledger.Statuses() }

func severities() []string {
	return []string{string(rule.Critical), string(rule.High), string(rule.Medium), string(rule.Low)}
}

// maxText bounds what may be searched for, in bytes.
const maxText = 200

// minID is how much of an id must be said: fewer characters fit too many cases.
const minID = 6

// params reads what a request asks for. The first mistake is kept: it names the parameter
// and what to write.
type params struct {
	values url.Values
	err    error
}

func paramsOf(v url.Values, names ...string) *params {
	p := &params{values: v}
	for name := range v {
		if !slices.Contains(names, name) {
			p.bad("%q is not a parameter; write one of %s", name, strings.Join(names, ", "))
		}
	}
	if len(p.text("q")) > maxText {
		p.bad("q: write at most %d bytes", maxText)
	}
	return p
}

func (p *params) bad(format string, args ...any) {
	if p.err == nil {
		p.err = refusal{http.StatusBadRequest, fmt.Sprintf(format, args...)}
	}
}

func (p *params) text(name string) string { return p.values.Get(name) }

// search is the text to look for; a blank one asks for nothing.
func (p *params) search() string { return strings.TrimSpace(p.text("q")) }

func (p *params) owner() string { return strings.ToLower(p.text("owner")) }

// id is the beginning of a case's id.
func (p *params) id() string {
	id := p.text("id")
	if id != "" && len(id) < minID {
		p.bad("id: write at least the first %d characters", minID)
	}
	return id
}

func (p *params) oneOf(name string, known []string) string {
	text := p.text(name)
	if text != "" && !slices.Contains(known, text) {
		p.bad("%s: %q is none; write one of %s", name, text, strings.Join(known, ", "))
	}
	return text
}

func (p *params) number(name string, otherwise, most int) int {
	text := p.text(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		p.bad("%s: %q is not a number from 1 to %d", name, text, most)
	}
	return n
}

// moment reads a day, which begins at midnight UTC, or an exact time.
func (p *params) moment(name string) time.Time {
	text := p.text(name)
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil && t.Year() > 1970 && t.Year() < 9999 {
			return t.UTC()
		}
	}
	p.bad("%s: %q is no time; write a day (2026-05-04) or 2026-05-04T12:00:00Z", name, text)
	return time.Time{}
}

// parseQuery reads the filters of cases.
func parseQuery(v url.Values, more ...string) (ledger.CaseQuery, error) {
	p := paramsOf(v, append(filterNames(), more...)...)
	q := ledger.CaseQuery{Text: p.search(), Rule: p.text("rule"), Severity: p.oneOf("severity", severities()), Kind: asKind(p.text("kind")),
		Namespace: p.text("namespace"), Cluster: p.text("cluster"), Owner: p.owner(), ID: p.id(), Cursor: p.text("cursor"), Limit: p.number("limit", 50, 500)}
	for _, status := range v["status"] {
		if status == "" {
			continue
		}
		if !slices.Contains(statuses(), status) {
			p.bad("status: %q is none; write one of %s", status, strings.Join(statuses(), ", "))
		}
		q.Statuses = append(q.Statuses, status)
	}
	return q, p.err
}

func filterNames() []string {
	return []string{"q", "id", "status", "rule", "severity", "kind", "namespace", "cluster", "owner", "limit", "cursor"}
}

func historyNames() []string {
	return []string{"q", "namespace", "owner", "rule", "kind", "since", "until", "limit", "cursor"}
}

func entryKinds() []string {
	return []string{docket.EntrySeen, docket.EntryOpened, docket.EntryChanged, docket.EntryResolved, docket.EntryReopened, docket.EntryGone,
		docket.EntryUnknown, docket.EntryOwner, docket.EntryPlan, docket.EntryNotice, docket.EntryIntent, docket.EntryActed, docket.EntryRefused,
		docket.EntryFenced, docket.EntryUnclear, docket.EntryUndoing, docket.EntryUndone, docket.EntryContested, docket.EntryDormant, docket.EntryAcknowledged}
}

// parseLines reads the filters of history. A day given as the end is part of it.
func parseLines(v url.Values) (ledger.LineQuery, error) {
	p := paramsOf(v, historyNames()...)
	q := ledger.LineQuery{Text: p.search(), Namespace: p.text("namespace"), Owner: p.owner(), Rule: p.text("rule"),
		Kind: p.oneOf("kind", entryKinds()), Since: p.moment("since"), Until: p.moment("until"), Limit: p.number("limit", 100, 1000), Cursor: p.text("cursor")}
	if len(p.text("until")) == len(time.DateOnly) {
		q.Until = q.Until.AddDate(0, 0, 1)
	}
	return q, p.err
}

// pageURL is the address of the next page of the same filters.
func pageURL(path string, v url.Values, cursor string) string {
	next := url.Values{}
	for name, values := range v {
		if name != "cursor" && strings.Join(values, "") != "" {
			next[name] = values
		}
	}
	if cursor != "" {
		next.Set("cursor", cursor)
	}
	if len(next) == 0 {
		return path
	}
	return path + "?" + next.Encode()
}
