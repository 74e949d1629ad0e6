package sqlite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// TestMillion fills a ledger with 1,000,000 lines of history and 40,000 cases, and prints
// the median and the 99th percentile of each question of the report:
//
//	K8GUARD_MILLION=1 go test ./internal/ledger/sqlite -run TestMillion -v -timeout 30m
func TestMillion(t *testing.T) {
	if os.Getenv("K8GUARD_MILLION") == "" {
		t.Skip("set K8GUARD_MILLION=1 to measure: it takes minutes")
	}
	l, err := Open(t.Context(), filepath.Join(t.TempDir(), "l.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	begin := time.Now()
	fill(t, l, 20_000, 50)
	if _, err := l.write.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		t.Fatal(err)
	}
	var path string
	if err := l.read.QueryRow("SELECT file FROM pragma_database_list").Scan(&path); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d lines, %d cases in %v; the file has %d MiB", count(t, l, "SELECT count(*) FROM history"), count(t, l, "SELECT count(*) FROM cases"),
		time.Since(begin).Round(time.Second), size(t, path)>>20)
	for _, q := range questions() {
		measure(t, l, q)
	}
}

func moment(n int) time.Time {
	return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Second)
}

func fill(t *testing.T, l *Ledger, dockets, each int) {
	t.Helper()
	if _, err := l.write.Exec("PRAGMA synchronous = OFF"); err != nil { // the filling is not measured
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	kinds := []string{docket.EntrySeen, docket.EntryPlan, docket.EntryNotice, docket.EntryNotice, docket.EntryChanged, docket.EntryOpened, docket.EntryResolved}
	for i := range dockets {
		d := docket.Docket{Key: docket.Key{Cluster: "k", Root: fmt.Sprint("root-", i)}, Cluster: "production", ObservedAt: moment(i),
			Root:  v1.Root{Kind: "Deployment", Namespace: fmt.Sprint("team-", i%200), Name: fmt.Sprint("storefront-", i), UID: fmt.Sprint("root-", i)},
			Owner: v1.Owner{Emails: []string{fmt.Sprintf("team-%d@example.com", i%200)}, Platform: true}}
		for j := range 2 {
			c := docket.Case{Rule: fmt.Sprint("RULE_", (i+j)%12), Source: "app", From: v1.FromTemplate, State: docket.Open, Severity: []string{"critical", "high", "medium", "low"}[i%4],
				Message: "image is not from an approved repository", Evidence: fmt.Sprintf("registry.example.com/team/app-%d:1.%d", i%1000, i), FirstSeen: moment(i), OpenedAt: moment(i),
				Plan: docket.Plan{Step: "wait", Next: "notify", At: moment(i + 86400)}}
			if i%3 == 0 {
				c.State, c.ToldResolved = docket.Resolved, true
			}
			c.ID = docket.CaseID(d.Key, c.Rule, c.Source, c.From)
			d.Cases = append(d.Cases, c)
		}
		if i%40 == 0 {
			d.Enforcement = &docket.Enforcement{ID: "e", Action: docket.ScaleToZero, State: []docket.EnforcementState{docket.Done, docket.Undid}[i/40%2], IntentAt: moment(i), Cases: []string{d.Cases[0].ID}}
		}
		var entries []docket.Entry
		for j := range each {
			e := docket.Entry{At: moment(j*dockets + i), Kind: kinds[r.IntN(len(kinds))], Case: d.Cases[j%2].ID,
				Text: fmt.Sprintf("warning %d of storefront-%d was confirmed by mail-%d.example.com, the next one waits for its date", j, i, r.IntN(5000))}
			if j == 0 && i%1000 == 0 {
				e.Kind = docket.EntryActed // twenty in a million
			}
			entries = append(entries, e)
		}
		if _, err := l.CompareAndSet(t.Context(), d, entries); err != nil {
			t.Fatal(err)
		}
	}
}

// question asks one thing, another one each time.
type question struct {
	name string
	ask  func(t *testing.T, l *Ledger, r *rand.Rand) error
}

func questions() []question {
	line := func(name string, make func(r *rand.Rand) ledger.LineQuery) question {
		return question{"history, " + name, func(t *testing.T, l *Ledger, r *rand.Rand) error {
			q := make(r)
			q.Limit = 100
			_, err := l.Lines(t.Context(), q)
			return err
		}}
	}
	cases := func(name string, make func(r *rand.Rand) ledger.CaseQuery) question {
		return question{"cases, " + name, func(t *testing.T, l *Ledger, r *rand.Rand) error {
			_, err := l.Cases(t.Context(), make(r))
			return err
		}}
	}
	namespace := func(r *rand.Rand) string { return fmt.Sprint("team-", r.IntN(200)) }
	owner := func(r *rand.Rand) string { return namespace(r) + "@example.com" }
	rule := func(r *rand.Rand) string { return fmt.Sprint("RULE_", r.IntN(12)) }
	return []question{
		line("newest", func(*rand.Rand) ledger.LineQuery { return ledger.LineQuery{} }),
		line("a deep page", func(r *rand.Rand) ledger.LineQuery {
			return ledger.LineQuery{Cursor: write(place{micros(moment(r.IntN(1_000_000))), 500_000})}
		}),
		line("a day", func(r *rand.Rand) ledger.LineQuery {
			day := moment(r.IntN(1_000_000))
			return ledger.LineQuery{Since: day, Until: day.AddDate(0, 0, 1)}
		}),
		line("a namespace", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Namespace: namespace(r)} }),
		line("an owner", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Owner: owner(r)} }),
		line("a rule", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Rule: rule(r)} }),
		line("a rare kind", func(*rand.Rand) ledger.LineQuery { return ledger.LineQuery{Kind: docket.EntryActed} }),
		line("a rule and a rare kind", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Rule: rule(r), Kind: docket.EntryActed} }),
		line("an owner, a rule and a rare kind", func(r *rand.Rand) ledger.LineQuery {
			return ledger.LineQuery{Owner: owner(r), Rule: rule(r), Kind: docket.EntryActed}
		}),
		line("a rare word", func(r *rand.Rand) ledger.LineQuery {
			return ledger.LineQuery{Text: fmt.Sprint("storefront-", r.IntN(20_000))}
		}),
		line("a word of every line", func(*rand.Rand) ledger.LineQuery { return ledger.LineQuery{Text: "warning"} }),
		line("three words of every line", func(*rand.Rand) ledger.LineQuery { return ledger.LineQuery{Text: "confirmed warning date"} }),
		line("a beginning of every line's word", func(*rand.Rand) ledger.LineQuery { return ledger.LineQuery{Text: "war*"} }),
		line("a word of every line in a namespace", func(r *rand.Rand) ledger.LineQuery {
			return ledger.LineQuery{Text: "warning", Namespace: namespace(r)}
		}),
		line("a word of every line, a rare kind, a rule", func(r *rand.Rand) ledger.LineQuery {
			return ledger.LineQuery{Text: "warning", Kind: docket.EntryActed, Rule: rule(r)}
		}),
		cases("first page", func(*rand.Rand) ledger.CaseQuery { return ledger.CaseQuery{} }),
		cases("a namespace", func(r *rand.Rand) ledger.CaseQuery { return ledger.CaseQuery{Namespace: namespace(r)} }),
		cases("an owner", func(r *rand.Rand) ledger.CaseQuery { return ledger.CaseQuery{Owner: owner(r)} }),
		cases("a rare word", func(r *rand.Rand) ledger.CaseQuery {
			return ledger.CaseQuery{Text: fmt.Sprint("storefront-", r.IntN(20_000))}
		}),
		cases("a word of every case", func(*rand.Rand) ledger.CaseQuery { return ledger.CaseQuery{Text: "approved"} }),
		{"next 24 hours", func(t *testing.T, l *Ledger, r *rand.Rand) error {
			_, err := l.Due(t.Context(), ledger.DueQuery{Until: moment(r.IntN(200_000)), Limit: 100})
			return err
		}},
		{"owners", func(t *testing.T, l *Ledger, r *rand.Rand) error {
			_, err := l.Owners(t.Context(), ledger.OwnerQuery{Cursor: write(ownerPlace{owner(r)})})
			return err
		}},
		{"acts in force", func(t *testing.T, l *Ledger, _ *rand.Rand) error {
			_, err := l.Acts(t.Context(), ledger.ActQuery{What: ledger.InForce})
			return err
		}},
		{"overview", func(t *testing.T, l *Ledger, _ *rand.Rand) error {
			_, err := l.Overview(t.Context(), ledger.Part{})
			return err
		}},
		line("of a part of 5 namespaces", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Part: part(r, 5)} }),
		line("of a part of 100 namespaces", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Part: part(r, 100)} }),
		line("of a part, words of all", func(r *rand.Rand) ledger.LineQuery { return ledger.LineQuery{Part: part(r, 5), Text: "warning"} }),
		line("of a part, words of few", func(r *rand.Rand) ledger.LineQuery {
			return ledger.LineQuery{Part: part(r, 5), Text: fmt.Sprintf("mail-%d", r.IntN(5000))}
		}),
		cases("of a part", func(r *rand.Rand) ledger.CaseQuery { return ledger.CaseQuery{Part: part(r, 5)} }),
		{"owners of a part", func(t *testing.T, l *Ledger, r *rand.Rand) error {
			_, err := l.Owners(t.Context(), ledger.OwnerQuery{Part: part(r, 5)})
			return err
		}},
		{"overview of a part", func(t *testing.T, l *Ledger, r *rand.Rand) error {
			_, err := l.Overview(t.Context(), part(r, 5))
			return err
		}},
		{"every namespace", func(t *testing.T, l *Ledger, _ *rand.Rand) error { _, err := l.Spaces(t.Context()); return err }},
		{"one docket's history", func(t *testing.T, l *Ledger, r *rand.Rand) error {
			_, err := l.Latest(t.Context(), docket.Key{Cluster: "k", Root: fmt.Sprint("root-", r.IntN(20_000))}, 1000)
			return err
		}},
	}
}

func part(r *rand.Rand, n int) ledger.Part {
	p := ledger.Part{Cluster: "k"}
	for range n {
		p.Namespaces = append(p.Namespaces, fmt.Sprint("team-", r.IntN(200)))
	}
	return p
}

func measure(t *testing.T, l *Ledger, q question) {
	t.Helper()
	r := rand.New(rand.NewPCG(3, 4))
	var times []time.Duration
	for begin := time.Now(); len(times) < 200 && (len(times) < 20 || time.Since(begin) < 20*time.Second); {
		start := time.Now()
		if err := q.ask(t, l, r); err != nil {
			t.Fatalf("%s: %v", q.name, err)
		}
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	at := func(p int) time.Duration { return times[(len(times)-1)*p/100].Round(10 * time.Microsecond) }
	t.Logf("| %s | %v | %v |", q.name, at(50), at(99))
}
