package ledgertest

import (
	"bytes"
	"errors"
	"testing"

	"github.com/k8guard/k8guard/internal/ledger"
)

func records(t *testing.T, l ledger.Ledger) {
	r := ledger.Record{Key: "family/ä'; DROP TABLE records; --"}
	for want := int64(1); want <= 3; want++ {
		r.Value = bytes.Repeat([]byte(`"x"`), int(want))
		version, err := l.Put(t.Context(), r)
		if err != nil || version != want {
			t.Fatalf("put: version %d, %v; want %d", version, err, want)
		}
		r.Version = version
		got, err := l.Get(t.Context(), r.Key)
		if err != nil || got.Version != want || got.Key != r.Key || !bytes.Equal(got.Value, r.Value) {
			t.Fatalf("get: %+v, %v", got, err)
		}
	}
	for _, version := range []int64{0, 1, 2, 4, -1} {
		if v, err := l.Put(t.Context(), ledger.Record{Key: r.Key, Version: version, Value: []byte("lost")}); !errors.Is(err, ledger.ErrConflict) || v != 0 {
			t.Errorf("version %d over 3: stored %d, %v; want ErrConflict", version, v, err)
		}
	}
	if _, err := l.Put(t.Context(), ledger.Record{Key: "absent", Version: 1}); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("version 1 over nothing: %v, want ErrConflict", err)
	}
	got, err := l.Get(t.Context(), r.Key)
	if err != nil || got.Version != 3 || !bytes.Equal(got.Value, r.Value) {
		t.Errorf("after conflicts: %+v, %v", got, err)
	}
}

func recordsUnderLoad(t *testing.T, l ledger.Ledger) {
	race(t, func(int, int) error {
		_, err := ledger.UpdateRecord(t.Context(), l, "count/one", func(n *int) (bool, error) {
			*n++
			return true, nil
		})
		return err
	})
	n, err := ledger.Read[int](t.Context(), l, "count/one")
	if err != nil || n != writers*perWriter {
		t.Errorf("after %d increments: %d, %v", writers*perWriter, n, err)
	}
}
