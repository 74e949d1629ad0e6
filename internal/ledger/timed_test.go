package ledger_test

import (
	"context"
	"errors"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// answering is a store in which each call has one and the same error.
type answering struct{ err error }

func (a answering) Load(_ context.Context, key docket.Key) (docket.Docket, error) {
	return docket.Docket{Key: key, Version: 7}, a.err
}

func (a answering) CompareAndSet(context.Context, docket.Docket, []docket.Entry) (int64, error) {
	return 8, a.err
}

func (a answering) OpenInBucket(context.Context, int) ([]docket.Key, error) {
	return []docket.Key{{Root: "r"}}, a.err
}

func (a answering) Get(_ context.Context, key string) (ledger.Record, error) {
	return ledger.Record{Key: key}, a.err
}

func (a answering) Put(context.Context, ledger.Record) (int64, error) { return 9, a.err }

func (a answering) Case(context.Context, string) (docket.Docket, error) {
	return docket.Docket{}, a.err
}

// Each call goes through as it is, and is counted by what it was and how it ended.
func TestCallsOfALedgerAreTimed(t *testing.T) {
	for _, c := range []struct {
		err    error
		result string
	}{{nil, "ok"}, {ledger.ErrConflict, "conflict"}, {ledger.ErrNotFound, "ok"}, {errors.New("the disk is full"), "error"}} {
		registry := prometheus.NewPedanticRegistry()
		l, err := ledger.NewTimed(answering{c.err}, registry)
		if err != nil {
			t.Fatal(err)
		}
		d, err1 := l.Load(t.Context(), docket.Key{Root: "r"})
		stored, err2 := l.CompareAndSet(t.Context(), d, nil)
		keys, err3 := l.OpenInBucket(t.Context(), 1)
		r, err4 := l.Get(t.Context(), "k")
		put, err5 := l.Put(t.Context(), r)
		_, err6 := l.Case(t.Context(), "c")
		for _, err := range []error{err1, err2, err3, err4, err5, err6} {
			if !errors.Is(err, c.err) {
				t.Errorf("the error came as %v, want %v", err, c.err)
			}
		}
		if d.Version != 7 || d.Key.Root != "r" || stored != 8 || len(keys) != 1 || r.Key != "k" || put != 9 {
			t.Errorf("answers were altered: %+v %d %v %+v %d", d, stored, keys, r, put)
		}
		families, err := registry.Gather()
		if err != nil {
			t.Fatal(err)
		}
		operations := 0
		for _, m := range families[0].GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "result" && label.GetValue() != c.result {
					t.Errorf("%v counts as %s", c.err, label.GetValue())
				}
			}
			operations += int(m.GetHistogram().GetSampleCount())
		}
		if operations != 6 {
			t.Errorf("%d calls were timed, want 6", operations)
		}
		if problems, err := testutil.GatherAndLint(registry); err != nil || len(problems) > 0 {
			t.Errorf("promlint: %v %v", problems, err)
		}
	}
}
