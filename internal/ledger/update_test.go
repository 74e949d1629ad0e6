package ledger_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// shaky is a store of one docket and one record in which another writer wins the first
// conflicts races.
type shaky struct {
	docket    docket.Docket
	entries   []docket.Entry
	record    ledger.Record
	conflicts int
	loads     int
	fault     error
}

func (s *shaky) Load(context.Context, docket.Key) (docket.Docket, error) {
	s.loads++
	return s.docket, nil
}

func (s *shaky) CompareAndSet(_ context.Context, next docket.Docket, entries []docket.Entry) (int64, error) {
	if s.fault != nil {
		return 0, s.fault
	}
	if s.conflicts > 0 {
		s.conflicts--
		s.docket.Version++
		s.docket.Hash += "other,"
	}
	if next.Version != s.docket.Version {
		return 0, ledger.ErrConflict
	}
	next.Version++
	s.docket, s.entries = next, append(s.entries, entries...)
	return next.Version, nil
}

func (s *shaky) OpenInBucket(context.Context, int) ([]docket.Key, error) { return nil, nil }

func (s *shaky) Get(_ context.Context, key string) (ledger.Record, error) {
	s.loads++
	s.record.Key = key
	return s.record, nil
}

func (s *shaky) Put(_ context.Context, r ledger.Record) (int64, error) {
	if s.fault != nil {
		return 0, s.fault
	}
	if s.conflicts > 0 {
		s.conflicts--
		s.record.Version++
		s.record.Value = []byte(`{"a":1}`)
	}
	if r.Version != s.record.Version {
		return 0, ledger.ErrConflict
	}
	r.Version++
	s.record = r
	return r.Version, nil
}

func appendOurs(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
	d.Hash += "ours"
	d.Key = docket.Key{} // Update puts the key right
	return d, []docket.Entry{{Text: d.Hash}}, true, nil
}

func TestUpdateJudgesAgainAfterAConflict(t *testing.T) {
	k := docket.Key{Cluster: "c", Root: "r"}
	s := &shaky{docket: docket.Docket{Key: k}, conflicts: 3}
	got, err := ledger.Update(t.Context(), s, k, appendOurs)
	if err != nil || got.Hash != "other,other,other,ours" || got.Version != 4 || got.Key != k || s.docket.Key != k {
		t.Errorf("%+v, %v", got, err)
	}
	if len(s.entries) != 1 || s.entries[0].Text != got.Hash {
		t.Errorf("entries %+v: want only those of the change that was stored", s.entries)
	}
}

func TestUpdateGivesUpInTheEnd(t *testing.T) {
	s := &shaky{conflicts: 1 << 30}
	if _, err := ledger.Update(t.Context(), s, docket.Key{}, appendOurs); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("want ErrConflict, got %v", err)
	}
	if _, err := ledger.UpdateRecord(t.Context(), s, "k", func(*map[string]int) (bool, error) { return true, nil }); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("want ErrConflict, got %v", err)
	}
}

func TestUpdateStoresNothingWithoutAChange(t *testing.T) {
	fault := errors.New("no")
	for _, want := range []error{nil, fault} {
		s := &shaky{fault: errors.New("must not be called")}
		_, err := ledger.Update(t.Context(), s, docket.Key{}, func(d docket.Docket) (docket.Docket, []docket.Entry, bool, error) {
			return d, nil, want != nil, want // an error wins over a change
		})
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("docket: %v, want %v", err, want)
		}
		_, err = ledger.UpdateRecord(t.Context(), s, "k", func(*int) (bool, error) { return want != nil, want })
		if !errors.Is(err, want) || want == nil && err != nil {
			t.Errorf("record: %v, want %v", err, want)
		}
	}
}

func TestUpdatePassesAFaultOnAtOnce(t *testing.T) {
	s := &shaky{fault: errors.New("disk full")}
	if _, err := ledger.Update(t.Context(), s, docket.Key{}, appendOurs); !errors.Is(err, s.fault) || s.loads != 1 {
		t.Errorf("%v after %d loads; want the fault after one", err, s.loads)
	}
	if _, err := ledger.UpdateRecord(t.Context(), s, "k", func(*int) (bool, error) { return true, nil }); !errors.Is(err, s.fault) || s.loads != 2 {
		t.Errorf("%v after %d loads; want the fault after one more", err, s.loads)
	}
}

// A try that lost must leave nothing behind in the value of the next one.
func TestUpdateRecordBeginsEachTryAnew(t *testing.T) {
	s := &shaky{conflicts: 1}
	got, err := ledger.UpdateRecord(t.Context(), s, "k", func(m *map[string]int) (bool, error) {
		if *m == nil {
			*m = map[string]int{"stale": 1}
		}
		(*m)["b"] = 2
		return true, nil
	})
	if err != nil || len(got) != 2 || got["a"] != 1 || got["b"] != 2 {
		t.Errorf("%v, %v; want a from the other writer and b from us", got, err)
	}
}

func TestReadSaysWhichRecordIsBroken(t *testing.T) {
	s := &shaky{record: ledger.Record{Version: 1, Value: []byte(`{"a":`)}}
	if _, err := ledger.Read[map[string]int](t.Context(), s, "notice/7"); err == nil || !strings.Contains(err.Error(), "notice/7") {
		t.Errorf("want an error that names the record, got %v", err)
	}
	s = &shaky{}
	if got, err := ledger.Read[int](t.Context(), s, "none"); got != 0 || err != nil {
		t.Errorf("absent record: %d, %v", got, err)
	}
}

func TestStatus(t *testing.T) {
	for _, c := range []struct {
		state  docket.State
		reason string
		want   string
		act    docket.EnforcementState
	}{
		{docket.Open, "", ledger.StatusOpen, ""}, {docket.Open, "waiting", ledger.StatusOpen, ""},
		{docket.Open, "exempt", ledger.StatusExempt, ""}, {docket.Open, "needs-human", ledger.StatusNeedsHuman, ""},
		{docket.Resolved, "exempt", ledger.StatusResolved, ""}, {docket.Acted, "needs-human", ledger.StatusActed, ""},
		{docket.Contested, "exempt", ledger.StatusContested, ""}, {docket.Standing, "exempt", ledger.StatusStanding, ""},
		{docket.Acted, "", ledger.StatusActed, docket.Done}, {docket.Acted, "", ledger.StatusActed, docket.Undoing},
		{docket.Acted, "cool-off", ledger.StatusUndone, docket.Undid}, {docket.Acted, "acted", ledger.StatusUndone, docket.Undid},
		{docket.Contested, "", ledger.StatusContested, docket.Undid}, {docket.Resolved, "", ledger.StatusResolved, docket.Undid}, {docket.Open, "needs-human", ledger.StatusNeedsHuman, docket.Undid},
	} {
		d := docket.Docket{}
		if c.act != "" {
			d.Enforcement = &docket.Enforcement{State: c.act}
		}
		if got := ledger.Status(d, docket.Case{State: c.state, Plan: docket.Plan{Reason: c.reason}}); got != c.want {
			t.Errorf("%s, %q: %s, want %s", c.state, c.reason, got, c.want)
		}
	}
}

// A dry run is judged from the list: it says what would follow.
func TestNextOfADryRun(t *testing.T) {
	for text, want := range map[string]string{
		"dry run: nobody is told; otherwise ada@example.com would be warned now": "otherwise: ada@example.com would be warned now",
		"dry run": "none",
	} {
		if step, at := ledger.Next(docket.Case{State: docket.Open, Plan: docket.Plan{Step: "none", Reason: "dry-run", Text: text}}); step != want || !at.IsZero() {
			t.Errorf("%s: %q %s, want %q", text, step, at, want)
		}
	}
}
