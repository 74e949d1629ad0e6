package docket_test

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
)

// What several channels carry is one telling: who reaches the owner decides, and what is beside
// paces where it is all there is.
func TestTellings(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 3, 1, h, 0, 0, 0, time.UTC) }
	ref := func(key string, try int, r docket.Result, h int) docket.NoticeRef {
		return docket.NoticeRef{Key: key, Purpose: docket.Warning, N: 1, Try: try, Owner: "ada", Result: r, At: at(h), ActAt: at(20 + try)}
	}
	beside := func(n docket.NoticeRef) docket.NoticeRef {
		n.Beside = true
		return n
	}
	for name, row := range map[string]struct {
		notices                 []docket.NoticeRef
		confirmed, tries, heard int
		telling                 bool
		last                    time.Time
		failed                  int
		actAt                   time.Time
	}{
		"two that count, both sent":            {[]docket.NoticeRef{ref("a", 1, docket.Sent, 1), ref("b", 1, docket.Sent, 2)}, 1, 1, 1, false, at(2), 0, at(21)},
		"two that count, one on its way":       {[]docket.NoticeRef{ref("a", 1, docket.Sent, 1), ref("b", 1, docket.Pending, 2)}, 1, 1, 1, false, at(2), 0, at(21)},
		"two that count, one given up":         {[]docket.NoticeRef{ref("a", 1, docket.FailedSend, 5), ref("b", 1, docket.Sent, 2)}, 1, 1, 1, false, at(2), 0, at(21)},
		"two that count, both given up":        {[]docket.NoticeRef{ref("a", 1, docket.FailedSend, 5), ref("b", 1, docket.FailedSend, 2)}, 0, 0, 0, false, time.Time{}, 1, time.Time{}},
		"beside is sent, mail is on its way":   {[]docket.NoticeRef{beside(ref("a", 1, docket.Sent, 1)), ref("b", 1, docket.Pending, 2)}, 0, 1, 0, true, at(2), 0, time.Time{}},
		"beside is sent, mail is given up":     {[]docket.NoticeRef{beside(ref("a", 1, docket.Sent, 1)), ref("b", 1, docket.FailedSend, 2)}, 0, 0, 0, false, time.Time{}, 1, time.Time{}},
		"mail is sent, beside is on its way":   {[]docket.NoticeRef{ref("b", 1, docket.Sent, 2), beside(ref("a", 1, docket.Pending, 9))}, 1, 1, 1, false, at(2), 0, at(21)},
		"beside is all there is":               {[]docket.NoticeRef{beside(ref("a", 1, docket.Sent, 1)), beside(ref("b", 2, docket.Sent, 3))}, 0, 2, 2, false, at(3), 0, time.Time{}},
		"beside is all there is, on its way":   {[]docket.NoticeRef{beside(ref("a", 1, docket.Pending, 1))}, 0, 1, 0, true, at(1), 0, time.Time{}},
		"beside is all there is, and given up": {[]docket.NoticeRef{beside(ref("a", 1, docket.FailedSend, 1))}, 0, 0, 0, false, time.Time{}, 1, time.Time{}},
		"from before there were numbers":       {[]docket.NoticeRef{ref("a", 0, docket.Sent, 1), ref("b", 0, docket.Sent, 2)}, 2, 2, 2, false, at(2), 0, at(20)},
	} {
		c := docket.Case{Notices: row.notices}
		confirmed, tries := c.Count("ada")
		failed, _ := c.Failed()
		if confirmed != row.confirmed || tries != row.tries || c.Heard("ada") != row.heard || c.Telling() != row.telling || !c.LastTry().Equal(row.last) ||
			failed != row.failed || !c.ActAt("ada", time.Time{}).Equal(row.actAt) || c.WarnedSince("ada", time.Time{}) != (row.confirmed > 0) {
			t.Errorf("%s: %d of %d, heard %d, telling %v, last %s, failed %d, act %s", name, confirmed, tries, c.Heard("ada"), c.Telling(), c.LastTry(), failed, c.ActAt("ada", time.Time{}))
		}
		if n, _ := c.Count("eve"); n != 0 || c.Heard("eve") != 0 {
			t.Errorf("%s: it counts for somebody else", name)
		}
	}
}

func TestACaseWithoutATelling(t *testing.T) {
	refs := []docket.NoticeRef{{Key: "a", Purpose: docket.Warning, Try: 1}, {Key: "b", Purpose: docket.Warning, Try: 1}, {Key: "c", Purpose: docket.AllClear, Try: 1},
		{Key: "d", Purpose: docket.Warning, Try: 1, Case: "former"}, {Key: "e", Purpose: docket.Warning}}
	c := docket.Case{Notices: refs, ToldResolved: true}
	if next := c.NextTry(docket.Warning); next != 2 || c.NextTry(docket.Enforced) != 1 {
		t.Errorf("the next is %d", next)
	}
	got, carried := c.Without(docket.Warning, 1)
	if !carried || len(got.Notices) != 3 || !got.ToldResolved || len(c.Notices) != 5 || c.Notices[0].Key != "a" {
		t.Errorf("%v %+v; was %+v", carried, got, c)
	}
	if got, carried = c.Without(docket.AllClear, 1); !carried || got.ToldResolved {
		t.Errorf("%v %+v", carried, got)
	}
	for _, none := range []int{0, 2} {
		if got, carried = c.Without(docket.Warning, none); carried || len(got.Notices) != 5 {
			t.Errorf("%d: %v %+v", none, carried, got)
		}
	}
}
