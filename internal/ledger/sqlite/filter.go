package sqlite

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// filter turns a query into a condition; values travel as arguments only.
func filter(q ledger.CaseQuery) (string, []any) {
	within, args := inPart(q.Part, "+")
	where := []string{within}
	if len(q.Statuses) == 0 {
		where = append(where, "status NOT IN (?, ?)")
		args = append(args, ledger.StatusStanding, ledger.StatusResolved)
	} else {
		where = append(where, "status IN (?"+strings.Repeat(", ?", len(q.Statuses)-1)+")")
		for _, s := range q.Statuses {
			args = append(args, s)
		}
	}
	for _, f := range []struct{ condition, value string }{
		{"rule = ?", q.Rule}, {"severity = ?", q.Severity}, {"kind = ?", q.Kind},
		{"namespace = ?", q.Namespace}, {"cluster_name = ?", q.Cluster},
		{"id IN (SELECT case_id FROM owners WHERE email = ?)", q.Owner},
	} {
		if f.value != "" {
			where, args = append(where, f.condition), append(args, f.value)
		}
	}
	if q.ID != "" {
		where, args = append(where, "id >= ? AND id < ? || char(1114111)"), append(args, q.ID, q.ID)
	}
	if q.Text != "" {
		where = append(where, "docid IN (SELECT rowid FROM case_text WHERE case_text MATCH ?)")
		args = append(args, match("body", q.Text))
	}
	return strings.Join(where, " AND "), args
}

// inPart is the condition for rows of the part, on the columns cluster and home. A plus
// before their names keeps them from choosing the index: one in the order of the list is
// walked, and the part is cut out on the way.
func inPart(p ledger.Part, plus string) (string, []any) {
	where, args := "true", []any(nil)
	if p.Cluster != "" {
		where, args = plus+"cluster = ?", append(args, p.Cluster)
	}
	if p.Namespaces != nil {
		names, _ := json.Marshal(p.Namespaces) // strings cannot fail
		where, args = where+" AND "+plus+"home IN (SELECT value FROM json_each(?))", append(args, string(names))
	}
	return where, args
}

// cursor is the place of the last row of a page; the zero cursor is before the first.
type cursor struct {
	Rank int    `json:"r"`
	Seen int64  `json:"s"`
	ID   string `json:"i"`
}

func cursorOf(c docket.Case) cursor {
	return cursor{Rank: rank(c.Severity), Seen: micros(c.FirstSeen), ID: c.ID}
}

// write is the opaque form of a place that pages carry.
func write(place any) string {
	text, _ := json.Marshal(place) // numbers and strings cannot fail
	return base64.RawURLEncoding.EncodeToString(text)
}

// read is the way back; the empty text is the zero place, before the first row.
func read[T any](text string) (place T, err error) {
	if text == "" {
		return place, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &place)
	}
	if err != nil {
		return *new(T), fmt.Errorf("%w %.80q: start again from the first page", ledger.ErrCursor, text)
	}
	return place, nil
}

func (c cursor) after(where string, args []any) (string, []any) {
	if c.ID == "" {
		return where, args
	}
	// The first term lets the index start at the rank; the rest is the exact place.
	return where + " AND rank >= ? AND (rank > ? OR seen < ? OR (seen = ? AND id > ?))",
		append(args, c.Rank, c.Rank, c.Seen, c.Seen, c.ID)
}
