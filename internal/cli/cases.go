package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/scan"
)

// maxCases is how many cases one answer holds at most; --cursor takes the next ones.
const maxCases = 500

type casesOptions struct {
	reach
	output string
	query  url.Values
}

// caseFilters are the API's own, by flag; the API says what a value may be.
func caseFilters() map[string]string {
	return map[string]string{
		"rule": "a rule's id", "severity": "critical, high, medium or low",
		"kind": "the root's kind, such as Deployment, in any case", "cluster": "the cluster's name", "owner": "an address of the owner",
	}
}

func newCases(s Streams) *cobra.Command {
	o := casesOptions{query: url.Values{}}
	limit, namespace, statuses, everything := 50, "", []string{}, false
	c := &cobra.Command{
		Use: "cases", Short: "List the cases of a running K8Guard",
		Long: "List the cases of a running K8Guard, over its socket: those that are not over and not exempt, or of\n" +
			"the statuses that you name (" + strings.Join(ledger.Statuses(), ", ") + ").",
		Example: "  k8guard cases -n shop\n  k8guard cases --status open --rule IMAGE_REPO -o json",
		Args:    arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			for _, name := range append(slices.Collect(maps.Keys(caseFilters())), "cursor") {
				if value, err := c.Flags().GetString(name); err == nil && value != "" {
					o.query.Set(name, value)
				}
			}
			o.query["status"] = statuses
			if len(statuses) == 0 {
				o.query["status"] = []string{ledger.StatusStanding, ledger.StatusOpen, ledger.StatusNeedsHuman, ledger.StatusActed, ledger.StatusUndone, ledger.StatusContested}
			}
			if everything {
				o.query["status"] = ledger.Statuses()
			}
			if namespace != "" {
				o.query.Set("namespace", namespace)
			}
			if limit < 1 || limit > maxCases {
				return failure("--limit %d: write a number from 1 to %d", limit, maxCases)
			}
			o.query.Set("limit", strconv.Itoa(limit))
			return o.list(c, s)
		},
	}
	for name, usage := range caseFilters() {
		c.Flags().String(name, "", "only of this "+name+": "+usage)
	}
	c.Flags().String("cursor", "", "go on where the last answer ended, by the cursor that it named")
	c.Flags().StringVarP(&namespace, "namespace", "n", "", "only in this namespace")
	c.Flags().StringSliceVar(&statuses, "status", nil, "only of these statuses; may be repeated")
	c.Flags().BoolVar(&everything, "all", false, "of every status")
	c.Flags().IntVar(&limit, "limit", limit, "how many at most")
	o.flags(c)
	c.Flags().StringVarP(&o.output, "output", "o", "table", "table or json")
	complete(c, "output", "table", "json")
	return c
}

func (o casesOptions) list(c *cobra.Command, s Streams) error {
	if o.output != "table" && o.output != "json" {
		return failure("no output format is called %q: use -o table or -o json", o.output)
	}
	var page ledger.CasePage
	if err := o.ask(c, s, "/api/v1/cases?"+o.query.Encode(), &page); err != nil {
		return err
	}
	if page.Total == 0 && o.query.Get("cursor") == "" {
		if err := o.meant(c, s); err != nil {
			return err
		}
	}
	if o.output == "json" {
		return json.NewEncoder(s.Out).Encode(page)
	}
	_, err := fmt.Fprint(s.Out, caseTable(page))
	return err
}

// meant refuses a namespace, a cluster or an owner that is none, where it found nothing: a slip
// of the pen must not look like a clean cluster. Of a rule and a kind the running K8Guard says so.
func (o casesOptions) meant(c *cobra.Command, s Streams) error {
	from, err := o.client(s)
	if err != nil {
		return err
	}
	if name := o.query.Get("namespace"); name != "" {
		if err := from.hasNamespace(c.Context(), name); err != nil {
			return err
		}
	}
	for _, flag := range []string{"cluster", "owner"} {
		if value := o.query.Get(flag); value != "" {
			if err := from.onRecord(c.Context(), flag, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// onRecord refuses a cluster or an owner of whom no case of any status is kept, but for the
// cluster that K8Guard watches: it may be clean.
func (c *client) onRecord(ctx context.Context, filter, value string) error {
	var page ledger.CasePage
	query := url.Values{filter: {value}, "status": ledger.Statuses(), "limit": {"1"}}
	if err := c.call(ctx, http.MethodGet, "/api/v1/cases?"+query.Encode(), nil, &page); err != nil || page.Total > 0 {
		return err
	}
	now, err := c.status(ctx)
	if err != nil {
		return err
	}
	switch {
	case filter == "cluster" && value == now.Cluster:
		return nil
	case filter == "cluster":
		return failure("--cluster: no case of a cluster called %q is on record; this K8Guard's is %q", value, now.Cluster)
	}
	return failure("--%s: no case of %q is on record, of any status; k8guard whoowns NAMESPACE says who is told", filter, value)
}

// hasNamespace refuses the name of a namespace that is none in the cluster, where nothing was
// found in it. Where nobody can tell, as in a report that looks at no cluster, it is believed.
func (c *client) hasNamespace(ctx context.Context, name string) error {
	var ignored any
	var no refusal
	err := c.call(ctx, http.MethodGet, "/api/v1/whoowns?"+url.Values{"namespace": {name}}.Encode(), nil, &ignored)
	if errors.As(err, &no) && no.code == http.StatusNotFound {
		return failure("-n: no namespace is called %q in the cluster, and nothing is kept of one", name)
	}
	return nil
}

func caseTable(page ledger.CasePage) string {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	head := table.Row{"case", "status", "severity", "rule", "object", "source", "warned", "next"}
	acked := slices.ContainsFunc(page.Rows, func(r ledger.CaseRow) bool { return r.Case.Ack != nil })
	if acked { // a column that says something
		head = append(head, "seen")
	}
	t.AppendHeader(head)
	for _, r := range page.Rows {
		row := table.Row{scan.Visible(r.ID), scan.Visible(r.Status), scan.Visible(r.Case.Severity), scan.Visible(r.Case.Rule),
			scan.Visible(r.Root.String()), scan.Visible(r.Case.Source), r.Confirmed, nextStep(r.Case)}
		if acked {
			row = append(row, scan.Visible(ledger.Seen(r.Case)))
		}
		t.AppendRow(row)
	}
	text := ""
	if len(page.Rows) > 0 {
		text = t.Render() + "\n"
	}
	text += fmt.Sprintf("%d of %d cases\n", len(page.Rows), page.Total)
	if page.Next != "" {
		text += "more: --cursor " + scan.Visible(page.Next) + "\n"
	}
	return text
}

// nextStep says what comes next and when, as far as policy has said.
func nextStep(c docket.Case) string {
	if held := ledger.Held(c); held != "" {
		return held + " until " + c.Plan.At.UTC().Format(time.RFC3339)
	}
	step, at := ledger.Next(c)
	if at.IsZero() {
		return scan.Visible(shortened(strings.TrimSpace(step), longestStep))
	}
	return scan.Visible(step + " " + at.UTC().Format(time.RFC3339))
}

// longestStep is how many letters of a step a table has room for; k8guard case and -o json say all.
const longestStep = 64

func shortened(text string, most int) string {
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return text
}
