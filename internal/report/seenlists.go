package report

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// Lines implements ledger.Projections.
func (v *seen) Lines(ctx context.Context, q ledger.LineQuery) (page ledger.LinePage, err error) {
	if ok, err := v.all(ctx); err != nil {
		return page, err
	} else if ok {
		return v.s.Ledger.Lines(ctx, q)
	}
	page.Lines, page.Next, err = walk(v, q.Limit, q.Cursor, func(limit int, cursor string) ([]ledger.Line, string, error) {
		q.Limit, q.Cursor = limit, cursor
		got, err := v.s.Ledger.Lines(ctx, q)
		return got.Lines, got.Next, err
	}, func(l ledger.Line) (bool, error) { return v.sees(ctx, l.Docket, l.Root) })
	return page, err
}

// Due implements ledger.Projections.
func (v *seen) Due(ctx context.Context, q ledger.DueQuery) (page ledger.DuePage, err error) {
	if ok, err := v.all(ctx); err != nil {
		return page, err
	} else if ok {
		return v.s.Ledger.Due(ctx, q)
	}
	page.Rows, page.Next, err = walk(v, q.Limit, q.Cursor, func(limit int, cursor string) ([]ledger.CaseRow, string, error) {
		q.Limit, q.Cursor = limit, cursor
		got, err := v.s.Ledger.Due(ctx, q)
		return got.Rows, got.Next, err
	}, v.row(ctx))
	return page, err
}

// Acts implements ledger.Projections.
func (v *seen) Acts(ctx context.Context, q ledger.ActQuery) (page ledger.ActPage, err error) {
	if ok, err := v.all(ctx); err != nil {
		return page, err
	} else if ok {
		return v.s.Ledger.Acts(ctx, q)
	}
	page.Rows, page.Next, err = walk(v, q.Limit, q.Cursor, func(limit int, cursor string) ([]ledger.ActRow, string, error) {
		q.Limit, q.Cursor = limit, cursor
		got, err := v.s.Ledger.Acts(ctx, q)
		return got.Rows, got.Next, err
	}, func(r ledger.ActRow) (bool, error) { return v.sees(ctx, r.Docket, r.Root) })
	return page, err
}

// counted bounds the cases that a reader's own counts are made of.
const counted = 10_000

// count gathers the cases that the reader sees, of the first 10,000 in the order of the list.
func (v *seen) count(ctx context.Context, statuses []string) (rows []ledger.CaseRow, err error) {
	q := ledger.CaseQuery{Statuses: statuses, Limit: 500}
	for range counted / q.Limit {
		page, err := v.s.Ledger.Cases(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, r := range page.Rows {
			ok, err := v.sees(ctx, r.Docket, r.Root)
			if err != nil {
				return nil, err
			}
			if ok {
				rows = append(rows, r)
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	return rows, nil
}

// Owners implements ledger.Projections: for a part, owners are counted over what is seen.
func (v *seen) Owners(ctx context.Context, q ledger.OwnerQuery) (page ledger.OwnerPage, err error) {
	if ok, err := v.all(ctx); err != nil {
		return page, err
	} else if ok {
		return v.s.Ledger.Owners(ctx, q)
	}
	after := ""
	if q.Cursor != "" {
		if after, err = v.s.Guard.Book.Unseal(q.Cursor); err != nil {
			return page, ledger.ErrCursor
		}
	}
	rows, err := v.count(ctx, slices.DeleteFunc(statuses(), quiet))
	if err != nil {
		return page, err
	}
	all := owned(rows)
	if q.Cursor != "" {
		all = slices.DeleteFunc(all, func(o ledger.OwnerRow) bool { return o.Email <= after })
	}
	if len(all) > q.Limit {
		all = all[:q.Limit]
		page.Next = v.s.Guard.Book.Seal(all[q.Limit-1].Email)
	}
	page.Rows = all
	return page, nil
}

func quiet(status string) bool {
	return status == ledger.StatusStanding || status == ledger.StatusResolved
}

// owned counts cases by owner, by address.
func owned(rows []ledger.CaseRow) []ledger.OwnerRow {
	byEmail := map[string]*ledger.OwnerRow{}
	for i := range rows {
		r := &rows[i]
		emails := r.Owner.Emails
		if len(emails) == 0 {
			emails = []string{""}
		}
		for _, email := range emails {
			if byEmail[email] == nil {
				byEmail[email] = &ledger.OwnerRow{Email: email}
			}
			add(byEmail[email], r)
		}
	}
	list := make([]ledger.OwnerRow, 0, len(byEmail))
	for _, o := range byEmail {
		list = append(list, *o)
	}
	slices.SortFunc(list, func(a, b ledger.OwnerRow) int { return strings.Compare(a.Email, b.Email) })
	return list
}

func add(o *ledger.OwnerRow, r *ledger.CaseRow) {
	switch r.Status {
	case ledger.StatusNeedsHuman:
		o.NeedsHuman++
	case ledger.StatusActed, ledger.StatusContested:
		o.Acted++
	}
	o.Open++
	if at := r.Case.Plan.At; !at.IsZero() && (o.Next == nil || at.Before(o.Next.Case.Plan.At)) {
		o.Next = r
	}
}

// Overview implements ledger.Projections. Newest stays empty for who sees a part: it tells
// when something else was seen.
func (v *seen) Overview(ctx context.Context) (o ledger.Overview, err error) {
	if ok, err := v.all(ctx); err != nil {
		return o, err
	} else if ok {
		return v.s.Ledger.Overview(ctx)
	}
	rows, err := v.count(ctx, statuses())
	if err != nil {
		return o, err
	}
	o = ledger.Overview{ByStatus: map[string]int{}, ByRule: map[string]int{}, BySeverity: map[string]int{}}
	spaces, acted := map[string]int{}, map[docket.Key]bool{}
	for _, r := range rows {
		o.ByStatus[r.Status]++
		if !quiet(r.Status) {
			o.ByRule[r.Case.Rule]++
			o.BySeverity[r.Case.Severity]++
		}
		if r.Status != ledger.StatusResolved && r.Root.Namespace != "" {
			spaces[r.Root.Namespace]++
		}
		if r.Status == ledger.StatusActed {
			acted[r.Docket] = true
		}
	}
	for name, n := range spaces {
		o.ByNamespace = append(o.ByNamespace, ledger.Count{Name: name, N: n})
	}
	slices.SortFunc(o.ByNamespace, func(a, b ledger.Count) int { return cmp.Or(b.N-a.N, strings.Compare(a.Name, b.Name)) })
	o.ByNamespace = o.ByNamespace[:min(10, len(o.ByNamespace))]
	past, err := v.Acts(ctx, ledger.ActQuery{What: ledger.Undone, Limit: 200})
	o.Acted, o.Undone = len(acted), len(past.Rows)
	return o, err
}
