package cassandra_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
)

const millionLines = 50 // of each docket

// TestMillion writes so many lines of history, builds the mirror from them, and prints how
// long both took, how soon a change of another process is in the mirror, and the median and
// 99th percentile of each question of the report (internal/ledger/sqlite has more of them:
// the tables and queries are the same):
//
//	K8GUARD_MILLION=1000000 go test ./internal/ledger/cassandra -run TestMillion -v -timeout 60m
func TestMillion(t *testing.T) {
	lines, err := strconv.Atoi(os.Getenv("K8GUARD_MILLION"))
	if err != nil || lines < millionLines {
		t.Skip("set K8GUARD_MILLION=1000000 to measure: it takes many minutes")
	}
	dockets := lines / millionLines
	conf := settings(t, server(t), "million")
	store := open(t, conf)
	began := time.Now()
	fill(t, store, dockets)
	filled := time.Since(began)
	began = time.Now()
	l, err := cassandra.OpenReport(t.Context(), conf, filepath.Join(t.TempDir(), "mirror.db"))
	if err != nil {
		t.Fatal(err)
	}
	r := follow(t, l)
	for end := began.Add(time.Hour); l.Ping(t.Context()) != nil; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the mirror is not built after an hour")
		}
	}
	built := time.Since(began)
	rate := func(d time.Duration) string { return fmt.Sprintf("%.0f lines/s", float64(lines)/d.Seconds()) }
	t.Logf("%d lines of %d dockets: written in %v (%s), mirror built in %v (%s)", lines, dockets,
		filled.Round(time.Second), rate(filled), built.Round(time.Second), rate(built))
	percentiles(t, "another process's change is in the mirror", 20, func(r *rand.Rand) error { return behind(t, store, l, r) })
	for _, q := range millionQuestions(dockets) {
		percentiles(t, q.name, 100, func(r *rand.Rand) error { return q.ask(t.Context(), l, r) })
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func millionDocket(i int) docket.Docket {
	d := sample(fmt.Sprint("root-", i), docket.Open)
	d.Root.Namespace, d.Root.Name = fmt.Sprint("team-", i%200), fmt.Sprint("storefront-", i)
	d.Owner.Emails = []string{fmt.Sprintf("team-%d@example.com", i%200)}
	d.Cases[0].Evidence = fmt.Sprintf("registry.example.com/team/app-%d:1.%d", i%1000, i)
	return d
}

func fill(t *testing.T, store *cassandra.Store, dockets int) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(8)
	for i := range dockets {
		group.Go(func() error {
			var entries []docket.Entry
			for j := range millionLines {
				e := entry(fmt.Sprintf("warning %d of storefront-%d was confirmed by mail-%d.example.com, the next one waits for its date", j, i, (i*millionLines+j)%5000))
				e.At = e.At.Add(time.Duration(j*dockets+i) * time.Second)
				entries = append(entries, e)
			}
			return patiently(ctx, store, millionDocket(i), entries)
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// patiently stores a docket that is new; a small server may be too busy to answer in time.
func patiently(ctx context.Context, store *cassandra.Store, d docket.Docket, entries []docket.Entry) (err error) {
	for range 10 {
		if _, err = store.CompareAndSet(ctx, d, entries); err == nil {
			return nil
		}
		if now, loadErr := store.Load(ctx, d.Key); loadErr == nil && now.Version > 0 {
			return nil
		}
	}
	return err
}

// behind changes a docket and waits until the mirror shows the change.
func behind(t *testing.T, store *cassandra.Store, l *cassandra.Ledger, r *rand.Rand) error {
	d, err := store.Load(t.Context(), millionDocket(r.IntN(1000)).Key)
	if err != nil {
		return err
	}
	text := fmt.Sprint("sighted", r.Uint64())
	if _, err := store.CompareAndSet(t.Context(), d, []docket.Entry{entry(text)}); err != nil {
		return err
	}
	for {
		page, err := l.Lines(t.Context(), ledger.LineQuery{Text: text, Limit: 1})
		if err != nil || len(page.Lines) > 0 {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
}

type millionQuestion struct {
	name string
	ask  func(ctx context.Context, l *cassandra.Ledger, r *rand.Rand) error
}

func millionQuestions(dockets int) []millionQuestion {
	lines := func(name string, make func(r *rand.Rand) ledger.LineQuery) millionQuestion {
		return millionQuestion{"history, " + name, func(ctx context.Context, l *cassandra.Ledger, r *rand.Rand) error {
			q := make(r)
			q.Limit = 100
			_, err := l.Lines(ctx, q)
			return err
		}}
	}
	cases := func(name string, make func(r *rand.Rand) ledger.CaseQuery) millionQuestion {
		return millionQuestion{"cases, " + name, func(ctx context.Context, l *cassandra.Ledger, r *rand.Rand) error {
			_, err := l.Cases(ctx, make(r))
			return err
		}}
	}
	team := func(r *rand.Rand) string { return fmt.Sprint("team-", r.IntN(200)) }
	root := func(r *rand.Rand) int { return r.IntN(dockets) }
	return []millionQuestion{
		lines("newest", func(*rand.Rand) ledger.LineQuery { return ledger.LineQuery{} }),
		lines("a namespace", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Namespace: team(r)} }),
		lines("an owner", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Owner: team(r) + "@example.com"} }),
		lines("a rare word", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Text: fmt.Sprint("storefront-", root(r))} }),
		lines("a word of every line", func(*rand.Rand) ledger.LineQuery { return ledger.LineQuery{Text: "warning"} }),
		cases("first page", func(*rand.Rand) ledger.CaseQuery { return ledger.CaseQuery{} }),
		cases("a namespace", func(r *rand.Rand) ledger.CaseQuery { return ledger.CaseQuery{Namespace: team(r)} }),
		cases("an owner", func(r *rand.Rand) ledger.CaseQuery { return ledger.CaseQuery{Owner: team(r) + "@example.com"} }),
		cases("a rare word", func(r *rand.Rand) ledger.CaseQuery { return ledger.CaseQuery{Text: fmt.Sprint("storefront-", root(r))} }),
		{"owners", func(ctx context.Context, l *cassandra.Ledger, _ *rand.Rand) error {
			_, err := l.Owners(ctx, ledger.OwnerQuery{})
			return err
		}},
		{"overview", func(ctx context.Context, l *cassandra.Ledger, _ *rand.Rand) error {
			_, err := l.Overview(ctx, ledger.Part{})
			return err
		}},
		// These two ask Cassandra itself.
		{"one docket", func(ctx context.Context, l *cassandra.Ledger, r *rand.Rand) error {
			_, err := l.Load(ctx, millionDocket(root(r)).Key)
			return err
		}},
		{"one docket's history", func(ctx context.Context, l *cassandra.Ledger, r *rand.Rand) error {
			_, err := l.Latest(ctx, millionDocket(root(r)).Key, 1000)
			return err
		}},
	}
}

func percentiles(t *testing.T, name string, times int, ask func(r *rand.Rand) error) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	var took []time.Duration
	for range times {
		began := time.Now()
		if err := ask(r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	at := func(p int) time.Duration { return took[(len(took)-1)*p/100].Round(10 * time.Microsecond) }
	t.Logf("| %s | %v | %v |", name, at(50), at(99))
}
