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

	"github.com/k8guard/k8guard/internal/config"
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
		"kind": "the root's kind, as Deployment", "cluster": "the cluster's name", "owner": "an address of the owner",
	}
}

func newCases(s Streams) *cobra.Command {
	o := casesOptions{query: url.Values{}}
	limit, namespace, statuses, everything := 50, "", []string{}, false
	c := &cobra.Command{
		Use: "cases", Short: "List the cases of a running K8Guard",
		Long: "List the cases of a running K8Guard, over its socket: those that are not over, or of the statuses\n" +
			"that you name (" + strings.Join(ledger.Statuses(), ", ") + ").",
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

// meant refuses the name of a rule or a namespace that is none, where it found nothing: a
// slip of the pen must not look like a clean cluster. A ledger may hold cases of rules that
// are gone, so what was found is believed.
func (o casesOptions) meant(c *cobra.Command, s Streams) error {
	ids, err := ruleIDs()
	if err != nil {
		return err
	}
	if rule := o.query.Get("rule"); rule != "" && !slices.Contains(ids, rule) {
		return failure("--rule: no rule is called %q; %s", rule, config.Suggest(rule, ids))
	}
	namespace := o.query.Get("namespace")
	if namespace == "" {
		return nil
	}
	from, err := o.client(s)
	if err != nil {
		return err
	}
	return from.hasNamespace(c.Context(), namespace)
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
		return scan.Visible(strings.TrimSpace(step))
	}
	return scan.Visible(step + " " + at.UTC().Format(time.RFC3339))
}
