package cassandra

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	gocql "github.com/apache/cassandra-gocql-driver/v2"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// What is found later tells what became of a write whose answer was lost.
func TestVerdict(t *testing.T) {
	id := func(n byte) gocql.UUID { return gocql.UUID{n} }
	many := func(n int) (all []gocql.UUID) {
		for range n {
			all = append(all, gocql.MustRandomUUID())
		}
		return all
	}
	const ours, fence, other, before = 1, 2, 3, 4
	was, lost := head{version: 5, writeID: id(before)}, errors.New("the answer was lost")
	for name, c := range map[string]struct {
		now  head
		want error
	}{
		"ours is the last":              {head{6, id(ours), []gocql.UUID{id(ours), id(before)}}, nil},
		"ours was overtaken":            {head{8, id(other), append(many(2), id(ours), id(before))}, nil},
		"ours, and its lines rewritten": {head{6, id(other), []gocql.UUID{id(ours), id(before)}}, nil},
		"our fence":                     {head{5, id(fence), []gocql.UUID{id(before)}}, ledger.ErrConflict},
		"another's fence":               {head{5, id(other), []gocql.UUID{id(before)}}, ledger.ErrConflict},
		"another's version":             {head{6, id(other), []gocql.UUID{id(other), id(before)}}, ledger.ErrConflict},
		"32 others":                     {head{5 + remembered, id(other), many(remembered)}, ledger.ErrConflict},
		"33 others":                     {head{6 + remembered, id(other), many(remembered)}, ErrUnknown},
		"expired":                       {head{}, ledger.ErrConflict},
	} {
		got := verdict(was, c.now, id(ours), []gocql.UUID{id(fence)}, lost)
		if !errors.Is(got, c.want) || c.want == nil && got != nil || c.want != nil && !errors.Is(got, lost) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// The parts of the ring meet, and leave nothing out.
func TestBounds(t *testing.T) {
	var all []int64
	for i := range ranges + 1 {
		all = append(all, bound(i))
	}
	if all[0] != -1<<63 || all[ranges] != 1<<63-1 || !slices.IsSorted(all) || len(slices.Compact(all)) != ranges+1 {
		t.Errorf("%v", all)
	}
}

// A mirror that is not built answers nothing rather than half.
func TestAMirrorThatIsNotBuiltSaysSo(t *testing.T) {
	l := Ledger{mirror: &sqlite.Mirror{}}
	if _, err := l.Overview(t.Context(), ledger.Part{}); !errors.Is(err, ErrBuilding) {
		t.Errorf("got %v", err)
	}
}

// What may have been carried out, or is about what a node does not know yet, is asked again for a
// while, and only that.
func TestToldAsksAgain(t *testing.T) {
	lost, final := &gocql.RequestErrCASWriteUnknown{}, gocql.ErrNoConnections
	unknown := answered{gocql.ErrCodeInvalid, "Keyspace 'k8guard' doesn't exist"}
	wrong := answered{gocql.ErrCodeInvalid, "Undefined column name"}
	for name, c := range map[string]struct {
		answers []error // the last one again and again
		asked   int     // 0: for as long as nodes may take
		want    error
	}{
		"an answer":           {[]error{nil}, 1, nil},
		"known at the second": {[]error{lost, nil}, 2, nil},
		"not known yet":       {[]error{unknown, unknown, nil}, 3, nil},
		"never sent":          {[]error{final}, 1, final},
		"refused later":       {[]error{lost, final}, 2, final},
		"a wrong question":    {[]error{wrong}, 1, wrong},
		"never answered":      {[]error{lost}, 0, lost},
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			began := time.Now()
			err := told(t.Context(), func() error { asked++; return c.answers[min(asked, len(c.answers))-1] })
			if !errors.Is(err, c.want) || c.asked != 0 && asked != c.asked || c.asked == 0 && time.Since(began) < agreement {
				t.Errorf("%s: asked %d times: %v; want %d: %v", name, asked, err, c.asked, c.want)
			}
		})
	}
}

// answered is what a node says of a request.
type answered struct {
	code int
	text string
}

func (a answered) Code() int       { return a.code }
func (a answered) Message() string { return a.text }
func (a answered) Error() string   { return a.text }
