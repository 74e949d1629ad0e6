package docket_test

import (
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// A warning that has the number of one before says why, in the mail and in the history.
func TestAWarningThatIsToldAgain(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 3, 1, h, 0, 0, 0, time.UTC) }
	told := func(change func(*docket.NoticeRef)) []docket.NoticeRef {
		n := docket.NoticeRef{Key: "a", Purpose: docket.Warning, N: 2, Try: 2, Owner: "ada", Result: docket.Sent, At: at(5)}
		change(&n)
		return []docket.NoticeRef{n}
	}
	next := docket.NoticeRef{Purpose: docket.Warning, N: 2, Try: 3, Owner: "ada", ActAt: at(20)}
	for name, row := range map[string]struct {
		notices []docket.NoticeRef
		opened  int
		want    string
	}{
		"none before":                 {nil, 1, ""},
		"one before named no act":     {told(func(*docket.NoticeRef) {}), 1, "again: an act follows now, and no warning before named one"},
		"one before named one":        {told(func(n *docket.NoticeRef) { n.ActAt = at(9) }), 1, ""},
		"it came back":                {told(func(n *docket.NoticeRef) { n.ActAt = at(9) }), 6, "again: it came back"},
		"the one before was another":  {told(func(n *docket.NoticeRef) { n.N = 1 }), 1, ""},
		"another owner's":             {told(func(n *docket.NoticeRef) { n.Owner = "bob" }), 1, ""},
		"it did not arrive":           {told(func(n *docket.NoticeRef) { n.Result = docket.FailedSend }), 1, ""},
		"another channel carries it":  {told(func(n *docket.NoticeRef) { n.Try = 3 }), 1, ""},
		"it was told for other cause": {told(func(n *docket.NoticeRef) { n.Purpose = docket.NeedsHuman }), 1, ""},
	} {
		c := docket.Case{ID: "c", State: docket.Open, OpenedAt: at(row.opened), Notices: row.notices}
		if got := c.Again(next); got != row.want {
			t.Errorf("%s: %q, want %q", name, got, row.want)
		}
		_, entries := docket.AttachNotice(docket.Docket{Cases: []docket.Case{c}}, "b", map[string]docket.NoticeRef{"c": next}, at(10))
		if len(entries) != 1 || row.want != "" != strings.HasSuffix(entries[0].Text, "warning 2 is put into a notice to ada, "+row.want) {
			t.Errorf("%s: %+v", name, entries)
		}
	}
}
