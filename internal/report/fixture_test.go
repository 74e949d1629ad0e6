package report_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/report"
	"github.com/k8guard/k8guard/internal/rule"
)

func noon() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

// shelf is a ledger in memory: what the report asks of one, no more.
type shelf struct{ dockets []docket.Docket }

func (s shelf) of(p ledger.Part) (list []docket.Docket) {
	for _, d := range s.dockets {
		if p.Holds(d.Key, d.Root) {
			list = append(list, d)
		}
	}
	return list
}

func (s shelf) Spaces(context.Context) (list []ledger.Space, _ error) {
	for _, d := range s.dockets {
		list = append(list, ledger.Space{Cluster: d.Key.Cluster, Namespace: ledger.Home(d.Root)})
	}
	slices.SortFunc(list, func(a, b ledger.Space) int {
		return strings.Compare(a.Cluster+"/"+a.Namespace, b.Cluster+"/"+b.Namespace)
	})
	return slices.Compact(list), nil
}

func (s shelf) rows(q ledger.CaseQuery) (rows []ledger.CaseRow) {
	for _, d := range s.of(q.Part) {
		for _, c := range d.Cases {
			status := ledger.Status(d, c)
			if !strings.HasPrefix(c.ID, q.ID) {
				continue
			}
			if len(q.Statuses) > 0 && !slices.Contains(q.Statuses, status) || q.Rule != "" && q.Rule != c.Rule || q.Namespace != "" && q.Namespace != d.Root.Namespace {
				continue
			}
			n, _ := c.Count(d.Owner.Emails[0])
			rows = append(rows, ledger.CaseRow{ID: c.ID, Docket: d.Key, Cluster: d.Cluster, Root: d.Root, Owner: d.Owner, Status: status, Confirmed: n, Case: c})
		}
	}
	return rows
}

func (s shelf) Cases(_ context.Context, q ledger.CaseQuery) (ledger.CasePage, error) {
	rows, from := s.rows(q), 0
	if q.Cursor != "" {
		if _, err := fmt.Sscanf(q.Cursor, "at%d", &from); err != nil || from > len(rows) {
			return ledger.CasePage{}, ledger.ErrCursor
		}
	}
	page := ledger.CasePage{Rows: rows[from:], Total: len(rows)}
	if len(page.Rows) > q.Limit {
		page.Rows, page.Next = page.Rows[:q.Limit], fmt.Sprintf("at%d", from+q.Limit)
	}
	return page, nil
}

func (s shelf) Case(_ context.Context, id string) (docket.Docket, error) {
	for _, d := range s.dockets {
		if d.Find(id) != nil {
			return d, nil
		}
	}
	return docket.Docket{}, ledger.ErrNotFound
}

func (s shelf) History(_ context.Context, key docket.Key, _ int64, _ int) (lines []ledger.Line, _ error) {
	for _, d := range s.dockets {
		if d.Key == key {
			for i, c := range d.Cases {
				lines = append(lines, line(d, c, i, docket.EntryOpened, "opened: "+c.Message), line(d, c, i, docket.EntryNotice, "warning 1 confirmed by mail.example.com"))
			}
		}
	}
	return lines, nil
}

func (s shelf) Latest(ctx context.Context, key docket.Key, limit int) ([]ledger.Line, error) {
	lines, err := s.History(ctx, key, 0, limit)
	return lines[max(0, len(lines)-limit):], err
}

func line(d docket.Docket, c docket.Case, i int, kind, text string) ledger.Line {
	return ledger.Line{Seq: int64(i), Docket: d.Key, Cluster: d.Cluster, Root: d.Root,
		Entry: docket.Entry{At: c.FirstSeen, Kind: kind, Case: c.ID, Text: text}}
}

func (s shelf) Lines(ctx context.Context, q ledger.LineQuery) (page ledger.LinePage, _ error) {
	if q.Cursor != "" {
		return page, ledger.ErrCursor
	}
	for _, d := range s.of(q.Part) {
		more, _ := s.History(ctx, d.Key, 0, 0)
		page.Lines = append(page.Lines, more...)
	}
	page.Lines = page.Lines[:min(q.Limit, len(page.Lines))]
	return page, nil
}

func (s shelf) Due(_ context.Context, q ledger.DueQuery) (page ledger.DuePage, _ error) {
	for _, r := range s.rows(ledger.CaseQuery{Part: q.Part}) {
		if at := r.Case.Plan.At; !at.IsZero() && at.Before(q.Until) {
			page.Rows = append(page.Rows, r)
		}
	}
	page.Rows = page.Rows[:min(q.Limit, len(page.Rows))]
	return page, nil
}

func (s shelf) Owners(_ context.Context, q ledger.OwnerQuery) (page ledger.OwnerPage, _ error) {
	rows := s.rows(ledger.CaseQuery{Part: q.Part})
	for _, r := range rows[:min(3, len(rows))] {
		page.Rows = append(page.Rows, ledger.OwnerRow{Email: r.Owner.Emails[0], Open: 7, NeedsHuman: 2, Next: &r})
	}
	return page, nil
}

func (s shelf) Acts(_ context.Context, q ledger.ActQuery) (page ledger.ActPage, _ error) {
	for _, d := range s.of(q.Part) {
		if row, what, _ := ledger.Act(d); what == q.What {
			page.Rows = append(page.Rows, row)
		}
	}
	page.Rows = page.Rows[:min(q.Limit, len(page.Rows))]
	return page, nil
}

func (s shelf) Overview(_ context.Context, part ledger.Part) (ledger.Overview, error) {
	o := ledger.Overview{ByStatus: map[string]int{}, ByRule: map[string]int{}, BySeverity: map[string]int{}}
	spaces := map[string]int{}
	for _, r := range s.rows(ledger.CaseQuery{Part: part}) {
		o.ByStatus[r.Status]++
		o.ByRule[r.Case.Rule]++
		o.BySeverity[r.Case.Severity]++
		spaces[r.Root.Namespace]++
		if r.Status == ledger.StatusActed {
			o.Acted++
		}
	}
	for name, n := range spaces {
		o.ByNamespace = append(o.ByNamespace, ledger.Count{Name: name, N: n})
	}
	return o, nil
}

type desk struct {
	own   bool // the last undo
	asked []string
	err   error
	stale bool
	fleet []report.Cluster
}

func (d *desk) Undo(_ context.Context, id, by, reason string, own bool) (string, error) {
	d.asked, d.own = append(d.asked, "undo "+id+" "+by+" "+reason), own
	return "restored 3 replicas", d.err
}

func (d *desk) ack(_ context.Context, id, by, reason string, hold time.Duration) (string, time.Time, error) {
	d.asked = append(d.asked, "ack "+id+" "+by+" "+reason+" "+hold.String())
	if hold > 0 {
		return "acknowledged, and paused", noon().Add(hold), d.err
	}
	return "acknowledged", time.Time{}, d.err
}

func (d *desk) Freeze(_ context.Context, scope, by, reason string) error {
	d.asked = append(d.asked, "freeze "+scope+" "+by+" "+reason)
	return d.err
}

func (d *desk) Unfreeze(_ context.Context, scope, by, reason string) error {
	d.asked = append(d.asked, "unfreeze "+scope+" "+by+" "+reason)
	return d.err
}

func (d *desk) Status(context.Context) (report.Status, error) {
	return report.Status{Mode: "enforce", Enforcement: "on: the permit says enabled", Permit: "enabled", Cluster: "production",
		Freezes:  []report.Freeze{{Scope: "rule/INGRESS_HOST", By: "ana", Reason: "migration of hosts", At: noon().Add(-2 * time.Hour)}},
		Switches: []report.Switch{{At: noon(), What: "unfrozen", Scope: "rule/IMAGE_TAG", By: "bo", Reason: "tags are <fixed>"}, {At: noon(), What: "breaker tripped", Reason: "two undos"}},
		WatchAge: 4 * time.Second, Stale: d.stale, Observed: noon(), Budget: report.Budget{PerHour: 5, UsedHour: 1, PerDay: 20, UsedDay: 3, PerNamespace: 3, PerOwner: 3, PerRule: 5, LastRound: "1 wanted, 1 granted",
			Spent: []report.Spent{{By: "namespace", Name: "shop", Used: 2, Left: 1}, {By: "rule", Name: "IMAGE_TAG", Used: 1, Left: 4}}}, Clusters: d.fleet}, d.err
}

func sample(n int) shelf {
	var s shelf
	rules := []struct{ id, severity, source, message string }{
		{"IMAGE_REPO", "critical", "web", "image comes from a registry that is not allowed"},
		{"PRIVILEGED", "high", "agent", "container runs privileged"},
		{"IMAGE_TAG", "medium", "api", "image has no fixed tag"}, {"SINGLE_REPLICA", "low", "replicas", "one replica only"}}
	for i := range n {
		spec, at := rules[i%4], noon().Add(-time.Duration(i+1)*37*time.Minute)
		owner := v1.Owner{Emails: []string{fmt.Sprintf("team-%d@example.com", i%3)}, From: "Namespace shop, annotation team/email-ids", Platform: true}
		c := docket.Case{ID: fmt.Sprintf("c%04d", i), Rule: spec.id, Source: spec.source, From: v1.FromTemplate, Severity: spec.severity, State: docket.Open,
			RuleVersion: "1", Message: spec.message, Path: "spec.template.spec.containers[0].image", Evidence: "docker.io/library/nginx:latest",
			FirstSeen: at, OpenedAt: at, LastSeen: noon(), Plan: docket.Plan{Step: "wait", Reason: "waiting", Text: "The next warning waits for its date.", Next: "notify", At: noon().Add(time.Duration(i+1) * 50 * time.Minute)},
			Notices: []docket.NoticeRef{{Key: "notice/1", Purpose: docket.Warning, N: 1, Owner: owner.Emails[0], Result: docket.Sent, At: at}}}
		d := docket.Docket{Key: docket.Key{Cluster: "k", Root: fmt.Sprint("u", i)}, Version: 1, Cluster: "production", Owner: owner,
			Root: v1.Root{Kind: "Deployment", Namespace: []string{"shop", "billing", "search-platform"}[i%3], Name: fmt.Sprintf("storefront-%d", i), UID: fmt.Sprint("u", i)}}
		if i%9 == 1 {
			three := int32(3)
			c.State, c.Plan = docket.Acted, docket.Plan{Step: "none", Reason: "acted", Text: "Scaled to zero; fix the template or undo."}
			for n := 2; n <= 3; n++ {
				c.Notices = append(c.Notices, docket.NoticeRef{Key: fmt.Sprint("notice/", n), Purpose: docket.Warning, N: n, Owner: owner.Emails[0], Result: docket.Sent, At: at.Add(time.Duration(n) * 5 * time.Minute)})
			}
			d.Enforcement = &docket.Enforcement{ID: "e", Action: docket.ScaleToZero, State: docket.Done, Target: d.Root, Cases: []string{c.ID}, Who: "policy production", Rules: []string{c.Rule},
				Versions: []string{"1"}, Evidence: []string{c.Evidence}, Warnings: []string{"notice/1", "notice/2", "notice/3"}, Grant: "hour 1 of 5, day 3 of 20", Prior: docket.Prior{Replicas: &three}, DoneAt: noon().Add(-time.Hour)}
		}
		if i%9 == 4 {
			d.Refusal = &docket.Refusal{Rule: 13, Name: "availability", Text: "a disruption budget <matches>", Human: true, At: at, Until: noon().Add(time.Hour)}
		}
		d.Cases = []docket.Case{c}
		s.dockets = append(s.dockets, d)
	}
	return s
}

func build(t *testing.T, s shelf, d *desk) http.Handler {
	t.Helper()
	return buildOn(t, s, d)
}

func buildOn(t *testing.T, s ledger.Projections, d *desk) http.Handler {
	t.Helper()
	h, err := report.New(report.Settings{Ledger: s, Control: d, Now: noon, Version: "test", Ack: d.ack, Needed: func(ledger.CaseRow) int { return 3 },
		Rules: []rule.Meta{{ID: "PRIVILEGED", Title: "Container runs privileged", Why: "It can take over its node.", Remedy: "Set privileged to false."}, {ID: "IMAGE_REPO", Title: "Image from a foreign registry", Why: "Nobody vouches for it.", Remedy: "Push the image to the registry of the platform."}}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}
