package sqlite

import (
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

func mirror(t *testing.T) *Mirror {
	t.Helper()
	m, err := OpenMirror(t.Context(), filepath.Join(t.TempDir(), "m.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return m
}

// state is a docket's state with one line for each number.
func state(n int, version, stamp int64, lines ...int64) Copy {
	d := eventful(n, moment(n))
	d.Version = version
	c := Copy{Docket: d, Stamp: stamp, Upto: version * 10}
	for _, seq := range lines {
		line := ledger.LineOf(d, docket.Entry{At: moment(0), Kind: "seen", Text: "line"})
		line.Seq = seq
		c.Lines = append(c.Lines, PlacedLine{Place: 1000*stamp + seq, Line: line})
	}
	return c
}

// told is the numbers of all lines, newest first, a page of one at a time.
func told(t *testing.T, m *Mirror) (seqs []int64) {
	t.Helper()
	for q, more := (ledger.LineQuery{Limit: 1}), true; more; more = q.Cursor != "" {
		page, err := m.Lines(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Lines {
			seqs = append(seqs, l.Seq)
		}
		q.Cursor = page.Next
	}
	return seqs
}

func TestAMirrorTakesEachStateOnce(t *testing.T) {
	m := mirror(t)
	for _, step := range []struct {
		what  string
		apply []Copy
		want  []int64
		known Known
	}{
		{"two states", []Copy{state(1, 1, 5, 10), state(1, 2, 6, 20)}, []int64{20, 10}, Known{6, 2, 20}},
		{"again", []Copy{state(1, 2, 6, 20)}, []int64{20, 10}, Known{6, 2, 20}},
		{"an older one", []Copy{state(1, 1, 5, 10, 11)}, []int64{20, 10}, Known{6, 2, 20}},
		{"a newer one that brings all", []Copy{state(1, 3, 7, 10, 20, 30)}, []int64{30, 20, 10}, Known{7, 3, 30}},
		{"a new life", []Copy{state(1, 1, 9, 10)}, []int64{10, 30, 20, 10}, Known{9, 1, 10}},
	} {
		if err := m.Apply(t.Context(), step.apply...); err != nil {
			t.Fatal(err)
		}
		known, err := m.Known(t.Context(), step.apply[0].Docket.Key)
		if got := told(t, m); err != nil || !slices.Equal(got, step.want) || known != step.known {
			t.Errorf("%s: lines %v, known %+v, %v; want %v, %+v", step.what, got, known, err, step.want, step.known)
		}
	}
}

// Two lines that got one place are both kept.
func TestAMirrorKeepsLinesOfOnePlace(t *testing.T) {
	m := mirror(t)
	a, b := state(1, 1, 5, 10), state(2, 1, 5, 11)
	b.Lines[0].Place = a.Lines[0].Place
	if err := m.Apply(t.Context(), a, b); err != nil {
		t.Fatal(err)
	}
	if got := told(t, m); !slices.Equal(got, []int64{11, 10}) {
		t.Errorf("lines %v", got)
	}
}

func TestAMirrorForgetsWithWhatIsOver(t *testing.T) {
	m := mirror(t)
	over, open := state(1, 1, 5, 10), state(2, 1, 6, 11)
	over.Closed = micros(moment(0))
	over.Docket.Cases[0].Notices = []docket.NoticeRef{{Key: "its own"}, {Key: "shared"}}
	open.Docket.Cases[0].Notices = []docket.NoticeRef{{Key: "shared"}}
	if err := m.Apply(t.Context(), over, open); err != nil {
		t.Fatal(err)
	}
	keys, err := m.Past(t.Context(), moment(1))
	if err != nil || !slices.Equal(keys, []string{"its own"}) {
		t.Errorf("past: %v, %v", keys, err)
	}
	for more := true; more; {
		if more, err = m.Prune(t.Context(), moment(1)); err != nil {
			t.Fatal(err)
		}
	}
	known, err := m.Known(t.Context(), over.Docket.Key)
	if got := told(t, m); err != nil || known != (Known{}) || !slices.Equal(got, []int64{11}) {
		t.Errorf("lines %v, known %+v, %v", got, known, err)
	}
}
