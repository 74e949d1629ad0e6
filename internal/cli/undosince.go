package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/scan"
)

// batch is `undo --since`: everything that was acted on since, one by one.
type batch struct {
	request
	since, every time.Duration
	namespace    string
	dryRun       bool
}

// undone is what became of one act.
type undone struct {
	Root   string `json:"root"`
	Case   string `json:"case"`
	Action string `json:"action"`
	Result string `json:"result,omitempty"`
	Error  string `json:"error,omitempty"`
}

func (b *batch) flags(c *cobra.Command) {
	c.Flags().DurationVar(&b.since, "since", 0, "take back every act of the last so long, such as 2h, instead of one case's")
	c.Flags().StringVarP(&b.namespace, "namespace", "n", "", "with --since: only in this namespace")
	c.Flags().DurationVar(&b.every, "every", time.Second, "with --since: the pause between two of them")
	c.Flags().BoolVar(&b.dryRun, "dry-run", false, "only say what would be taken back, and do nothing")
}

// run goes on after a failure: each act stands for itself.
func (b *batch) run(s Streams, c *cobra.Command) error {
	if err := b.check(); err != nil {
		return err
	}
	to, err := b.client(s)
	if err != nil {
		return err
	}
	rows, err := b.list(c.Context(), to)
	if err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	if len(rows) == 0 && b.namespace != "" {
		if err := to.hasNamespace(c.Context(), b.namespace); err != nil {
			return err
		}
	}
	before := look(c.Context(), to)
	results, failed := make([]undone, 0, len(rows)), 0
	for i, row := range rows {
		u := b.one(c.Context(), to, row, i)
		if u.Error != "" {
			failed++
		}
		results = append(results, u)
		if b.output == "text" {
			_, _ = fmt.Fprintf(s.Out, "%d/%d %s\n", i+1, len(rows), scan.Visible(u.line()))
		}
	}
	b.opened(s, c, before)
	if b.output == "json" {
		if err := print(s, b.output, results); err != nil {
			return err
		}
	} else if len(rows) == 0 {
		_, _ = fmt.Fprintf(s.Out, "nothing that was acted on in the last %s is in force\n", b.since)
	}
	if failed > 0 {
		return ExitError{Code: ExitFailure, Err: fmt.Errorf("%d of %d were not taken back; see what was said of each", failed, len(rows))}
	}
	return nil
}

func (b *batch) check() error {
	switch {
	case known(b.output) != nil:
		return known(b.output)
	case b.every < 0:
		return failure("--every %s: write a pause of zero or more, such as 1s", b.every)
	case b.reason == "" && !b.dryRun:
		return failure("say why, for the record: --reason \"...\"")
	}
	return nil
}

// list returns the acts in force that are young enough, oldest first.
func (b *batch) list(ctx context.Context, from *client) ([]ledger.ActRow, error) {
	var all []ledger.ActRow
	limit := time.Now().Add(-b.since)
	for cursor := ""; ; {
		var page ledger.ActPage
		query := url.Values{"what": {ledger.InForce}, "limit": {"200"}}
		if cursor != "" {
			query.Set("cursor", cursor)
		}
		if err := from.call(ctx, http.MethodGet, "/api/v1/acts?"+query.Encode(), nil, &page); err != nil {
			return nil, err
		}
		for _, row := range page.Rows {
			e := row.Enforcement
			if e == nil || e.State != docket.Done || e.DoneAt.Before(limit) || len(e.Cases) == 0 || b.namespace != "" && row.Root.Namespace != b.namespace {
				continue
			}
			all = append([]ledger.ActRow{row}, all...)
		}
		if cursor = page.Next; cursor == "" {
			return all, nil
		}
	}
}

func (b *batch) one(ctx context.Context, to *client, row ledger.ActRow, n int) undone {
	u := undone{Root: row.Root.String(), Case: row.Enforcement.Cases[0], Action: row.Enforcement.Action}
	if b.dryRun {
		return u
	}
	if n > 0 { // what comes back starts pods, and a CronJob its missed run: not all at once
		select {
		case <-ctx.Done():
		case <-time.After(b.every):
		}
	}
	var answer struct {
		Result string `json:"result"`
	}
	ask := map[string]string{"by": b.by, "reason": b.reason}
	if err := to.call(ctx, http.MethodPost, "/api/v1/cases/"+url.PathEscape(u.Case)+"/undo", ask, &answer); err != nil {
		u.Error = err.Error()
	}
	u.Result = answer.Result
	return u
}

func (u undone) line() string {
	switch {
	case u.Error != "":
		return u.Root + ": NOT taken back: " + u.Error
	case u.Result != "":
		return u.Result
	}
	return fmt.Sprintf("%s: %s, case %s", u.Root, u.Action, u.Case)
}
