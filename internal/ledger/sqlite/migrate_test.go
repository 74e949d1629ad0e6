package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"net/url"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// eventful is a docket with an act, a notice, a date, and text to find.
func eventful(i int, at time.Time) docket.Docket {
	d := docket.Docket{Key: docket.Key{Cluster: "c", Root: fmt.Sprint("r", i)}, Cluster: "prod", ObservedAt: at,
		Root:  v1.Root{Kind: "Deployment", Namespace: "shop", Name: fmt.Sprint("front-", i), UID: fmt.Sprint("r", i)},
		Owner: v1.Owner{Emails: []string{fmt.Sprintf("team-%d@example.com", i%3)}}}
	c := docket.Case{ID: fmt.Sprint("case-", i), Rule: "IMAGE_REPO", Severity: "high", State: docket.Open, Source: "app", Message: "not \"approved\"",
		Evidence: "docker.io/nginx", FirstSeen: at, Plan: docket.Plan{Step: "wait", Next: "notify", At: at.Add(time.Duration(i) * time.Hour)},
		Notices: []docket.NoticeRef{{Key: fmt.Sprint("notice/", i/2), Result: docket.Sent}}}
	switch i % 4 {
	case 0:
		d.Enforcement = &docket.Enforcement{ID: "e", State: docket.Done, IntentAt: at, Prior: docket.Prior{Manifest: []byte(`{"a":1}`)}}
	case 1:
		d.Refusal = &docket.Refusal{Rule: 13, Name: "availability", Text: "a budget", At: at}
	case 2:
		c.State, c.ToldResolved, d.Owner.Emails = docket.Resolved, true, nil
	}
	if i%5 == 0 {
		d.Root.Kind, d.Root.Namespace = "Namespace", ""
	}
	d.Cases = []docket.Case{c}
	return d
}

// everything is what the lists of a ledger say.
func everything(t *testing.T, l *Ledger) string {
	t.Helper()
	var all []any
	keep := func(v any, err error) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, v)
	}
	keep(l.Cases(t.Context(), ledger.CaseQuery{Text: "nginx front"}))
	keep(l.Overview(t.Context(), ledger.Part{}))
	keep(l.Due(t.Context(), ledger.DueQuery{Until: time.Now().Add(1000 * time.Hour)}))
	keep(l.Owners(t.Context(), ledger.OwnerQuery{}))
	keep(l.Spaces(t.Context()))
	part := ledger.Part{Cluster: "c", Namespaces: []string{"shop", "front-0", "front-10"}}
	keep(l.Cases(t.Context(), ledger.CaseQuery{Part: part}))
	keep(l.Acts(t.Context(), ledger.ActQuery{Part: part, What: ledger.InForce}))
	for _, what := range []string{ledger.InForce, ledger.Undone, ledger.Refused} {
		keep(l.Acts(t.Context(), ledger.ActQuery{What: what}))
	}
	for _, q := range []ledger.LineQuery{{}, {Namespace: "shop"}, {Owner: "team-1@example.com"}, {Rule: "IMAGE_REPO"}, {Kind: "opened"}, {Text: "first"}, {Part: part}} {
		page, err := l.Lines(t.Context(), q)
		for i := range page.Lines {
			page.Lines[i].Owners = nil // not kept by the first format
		}
		keep(page, err)
	}
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestAnOldFileMigrates makes a file as the first format was, from what a new one holds,
// and wants the same answers from both.
func TestAnOldFileMigrates(t *testing.T) {
	dir := t.TempDir()
	fresh, err := Open(t.Context(), filepath.Join(dir, "new.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = fresh.Close() }()
	at := time.Date(2026, 5, 4, 12, 0, 0, 123000000, time.UTC)
	for i := range 12 {
		d := eventful(i, at)
		switch i {
		case 3: // no step of K8Guard's comes next
			d.Cases[0].Plan.Reason = "needs-human"
		case 4, 7: // what was done is taken back
			d.Cases[0].State = docket.Acted
			d.Enforcement = &docket.Enforcement{ID: "e", State: docket.Undid, IntentAt: at, DoneAt: at, Undo: &docket.Undo{By: "ada", At: at}}
		}
		if _, err := fresh.CompareAndSet(t.Context(), d, []docket.Entry{{At: at, Kind: "opened", Case: d.Cases[0].ID, Text: "the first"}, {At: at, Kind: "owner", Text: "found"}}); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "old.db")
	first(t, path, filepath.Join(dir, "new.db"))
	old, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = old.Close() }()
	if got, want := everything(t, old), everything(t, fresh); got != want {
		t.Errorf("the migrated file says\n%s\nwant\n%s", got, want)
	}
	for _, query := range []string{"SELECT count(*) FROM dockets WHERE closed > 0", "SELECT count(*) FROM notices", "PRAGMA auto_vacuum", "PRAGMA user_version"} {
		var got, want int
		if err := old.read.QueryRow(query).Scan(&got); err != nil {
			t.Fatal(err)
		}
		if err := fresh.read.QueryRow(query).Scan(&want); err != nil || got != want || got == 0 {
			t.Errorf("%s: %d, want %d, %v", query, got, want, err)
		}
	}
	if _, err := old.write.Exec("DELETE FROM history"); err == nil {
		t.Error("history was deleted")
	}
}

// first writes a file of the first format with the rows of another.
func first(t *testing.T, path, from string) {
	t.Helper()
	text, err := migrations.ReadFile("migrations/001_ledger.sql")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", dsn(path, url.Values{"_pragma": {"journal_mode(WAL)"}}))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if err := migrate(context.Background(), db, fstest.MapFS{"migrations/001_ledger.sql": {Data: text}}); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"ATTACH '" + from + "' AS new",
		"INSERT INTO dockets SELECT cluster, root, bucket, version, live, enforcement, observed, doc FROM new.dockets",
		"INSERT INTO cases SELECT id, cluster, root, cluster_name, kind, namespace, rule, severity, rank, iif(status = 'undone', 'acted', status), seen, opened, iif(status = 'undone', json_set(doc, '$.status', 'acted'), doc) FROM new.cases",
		"INSERT INTO owners SELECT email, case_id FROM new.owners WHERE email <> ''",
		"INSERT INTO history SELECT seq, cluster, root, at, kind, case_id, json_remove(doc, '$.rule', '$.owners') FROM new.history",
	} {
		if _, err := db.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
