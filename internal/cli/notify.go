package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/report"
	"github.com/k8guard/k8guard/internal/scan"
)

func newNotify(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use: "notify", Short: "Try a channel, and see what it would send", Example: "  k8guard notify test slack",
		Args: group,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newNotifyTest(s), newNotifyPreview(s))
	return c
}

func newNotifyTest(s Streams) *cobra.Command {
	var file string
	var to []string
	c := &cobra.Command{
		Use: "test CHANNEL", Short: "Send a test message on a channel",
		Long: "Send one message that says it is a test, with what the configuration says of the channel: its key below notify (email, slack, ...),\n" +
			"or webhook/NAME. It asks no running K8Guard, and nothing is kept of it.\nExit code: 0 taken, 1 not taken or unknown, 2 it could not be tried.",
		Example: "  k8guard notify test email --to shop@example.com\n  k8guard notify test webhook/audit --config k8guard.yaml",
		Args:    arguments(cobra.ExactArgs(1)), ValidArgsFunction: noWords,
		RunE: func(c *cobra.Command, args []string) error {
			conf, err := loadConfig(s, file)
			if err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			out, err := app.TryChannel(c.Context(), conf, args[0], to)
			if err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			_, err = fmt.Fprintln(s.Out, tried(out))
			if err == nil && out.State != notify.Confirmed {
				return ExitError{Code: ExitViolations}
			}
			return err
		},
	}
	configFlag(c, &file)
	c.Flags().StringSliceVar(&to, "to", nil, "addresses of an owner, as an annotation names them: they get the mail, and are mentioned by their ids (default: owners.fallback)")
	return c
}

// tried says how a test ended.
func tried(o notify.Outcome) string {
	text := map[notify.OutcomeState]string{notify.Confirmed: "taken", notify.Failed: "not taken", notify.Unknown: "unknown"}[o.State]
	if o.Detail != "" {
		text += ": " + o.Detail
	}
	if len(o.Accepted) > 0 {
		text += "; for " + strings.Join(o.Accepted, ", ")
	}
	if o.RetryAfter > 0 {
		text += "; the server asks for a pause of " + o.RetryAfter.String()
	}
	return scan.Visible(text)
}

func newNotifyPreview(s Streams) *cobra.Command {
	var from reach
	var output string
	c := &cobra.Command{
		Use: "preview CHANNEL CASE", Short: "Print what a channel would send about a case",
		Long: "Print what a channel would send about a case now, alone. Nothing is sent. The case is asked of the running K8Guard, the channel\n" +
			"is the configuration's that is read here.",
		Example: "  k8guard notify preview slack c-mfrggzdfmztwq2lknnwg23tpoa\n  k8guard notify preview webhook/audit c-mfrggz -o json",
		Args:    arguments(cobra.ExactArgs(2)), ValidArgsFunction: noWords,
		RunE: func(c *cobra.Command, args []string) error {
			if err := known(output); err != nil {
				return err
			}
			p, err := preview(c, s, &from, args[0], args[1])
			if err != nil {
				return err
			}
			if output == "json" {
				return json.NewEncoder(s.Out).Encode(whole(p))
			}
			_, err = fmt.Fprint(s.Out, previewText(p))
			return err
		},
	}
	from.flags(c)
	c.Flags().Lookup("config").Usage = "configuration file: says where the running K8Guard is, and what the channel is"
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	complete(c, "output", "text", "json")
	return c
}

func preview(c *cobra.Command, s Streams, from *reach, channel, id string) (app.Preview, error) {
	conf, err := loadConfig(s, from.config)
	if err != nil {
		return app.Preview{}, ExitError{Code: ExitFailure, Err: err}
	}
	to, err := from.client(s)
	if err != nil {
		return app.Preview{}, err
	}
	if id, err = to.caseID(c.Context(), id); err != nil {
		return app.Preview{}, err
	}
	var view report.CaseView
	err = to.call(c.Context(), http.MethodGet, "/api/v1/cases/"+url.PathEscape(id), nil, &view)
	var p app.Preview
	if err == nil {
		p, err = app.PreviewCase(conf, channel, view.Docket, view.Case.ID)
	}
	if err != nil {
		return p, ExitError{Code: ExitFailure, Err: err}
	}
	return p, nil
}

// whole is a preview with its body: as JSON where it is JSON, else as text.
func whole(p app.Preview) any {
	var body any = string(p.Body)
	if json.Valid(p.Body) {
		body = json.RawMessage(p.Body)
	}
	return struct {
		app.Preview
		Body any `json:"body"`
	}{p, body}
}

func previewText(p app.Preview) string {
	var b strings.Builder
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-9s %s\n", name, scan.Visible(value))
		}
	}
	line("channel", p.Channel)
	line("owner", strings.Join(p.To, ", "))
	line("mentions", strings.Join(p.Mentions, ", "))
	if p.Why != "" {
		line("counts", map[bool]string{true: "yes: ", false: "no: "}[p.Counts]+p.Why)
	}
	b.WriteString("\n")
	for l := range strings.SplitSeq(strings.TrimRight(strings.ReplaceAll(legible(p.Body), "\r\n", "\n"), "\n"), "\n") {
		b.WriteString(scan.Visible(l) + "\n")
	}
	return b.String()
}
