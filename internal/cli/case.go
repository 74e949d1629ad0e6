package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/report"
	"github.com/k8guard/k8guard/internal/scan"
)

func newCase(s Streams) *cobra.Command {
	var from reach
	var output string
	c := &cobra.Command{
		Use: "case ID", Short: "Show one case and its history",
		Example: "  k8guard case c-mfrggzdfmztwq2lknnwg23tpoa\n  k8guard case c-mfrg   # as much of it as fits one case alone, 6 characters or more",
		Args:    arguments(cobra.ExactArgs(1)), ValidArgsFunction: noWords,
		RunE: func(c *cobra.Command, args []string) error {
			if err := known(output); err != nil {
				return err
			}
			to, err := from.client(s)
			if err != nil {
				return err
			}
			id, err := to.caseID(c.Context(), args[0])
			if err != nil {
				return err
			}
			var view report.CaseView
			if err := to.call(c.Context(), http.MethodGet, "/api/v1/cases/"+url.PathEscape(id), nil, &view); err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			if output == "json" {
				return json.NewEncoder(s.Out).Encode(view)
			}
			_, err = fmt.Fprint(s.Out, caseText(view, to.how))
			return err
		},
	}
	from.flags(c)
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	complete(c, "output", "text", "json")
	return c
}

func caseText(v report.CaseView, how string) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-9s %s\n", name, scan.Visible(value))
		}
	}
	line("case", v.Case.ID)
	line("status", v.Status)
	line("rule", v.Case.Rule+" ("+v.Case.Severity+"); k8guard rules explain "+v.Case.Rule)
	line("object", v.Docket.Root.String())
	line("source", v.Case.Source)
	line("message", v.Case.Message)
	line("evidence", v.Case.Evidence)
	line("owner", strings.Join(v.Docket.Owner.Emails, ", "))
	line("first", v.Case.FirstSeen.UTC().Format(time.RFC3339))
	line("plan", v.Case.Plan.Text)
	line("next", nextStep(v.Case))
	line("do", ledger.Asks(v.Case))
	if a := v.Case.Ack; a != nil {
		line("seen", ledger.Seen(v.Case)+": "+a.Reason)
	}
	line("act", actText(v.Docket.Enforcement, v.Case.ID))
	line("undo", undoCommand(v.Docket.Enforcement, v.Case.ID, how))
	for _, l := range v.History {
		if l.Entry.Case != "" && l.Entry.Case != v.Case.ID {
			continue // another case of the same object has its own page
		}
		fmt.Fprintf(&b, "%s %-12s %s\n", l.Entry.At.UTC().Format(time.RFC3339), scan.Visible(l.Entry.Kind), scan.Visible(l.Entry.Text))
	}
	return b.String()
}

// actText is what was done about the case, if anything was.
func actText(e *docket.Enforcement, id string) string {
	if e == nil || !slices.Contains(e.Cases, id) {
		return ""
	}
	text := e.Action + ", " + string(e.State)
	if !e.DoneAt.IsZero() {
		text += ", acted at " + e.DoneAt.UTC().Format(time.RFC3339)
	}
	if e.Undo != nil {
		text += "; undo by " + e.Undo.By + ": " + e.Undo.Reason
	}
	return text
}

// undoCommand is for an act that is in force.
func undoCommand(e *docket.Enforcement, id, how string) string {
	if e == nil || e.State != docket.Done || !slices.Contains(e.Cases, id) {
		return ""
	}
	return "k8guard undo " + id + how + ` --reason "..."`
}
