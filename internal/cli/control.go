package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/scan"
)

// request is what the commands that change something have in common.
type request struct {
	reach
	by, reason, output string

	hold time.Duration // of ack alone
}

func (o *request) flags(c *cobra.Command) {
	o.reach.flags(c)
	c.Flags().StringVar(&o.by, "by", me(), "who asks, for the record")
	c.Flags().StringVar(&o.reason, "reason", "", "why, for the record (required)")
	c.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	complete(c, "output", "text", "json")
}

// post asks the running K8Guard and prints its answer.
func (o *request) post(s Streams, c *cobra.Command, path, scope string) error {
	if err := known(o.output); err != nil {
		return err
	}
	if strings.TrimSpace(o.reason) == "" {
		return failure("say why, for the record: --reason \"...\"")
	}
	to, err := o.client(s)
	if err != nil {
		return err
	}
	var answer struct {
		Result string `json:"result"`
	}
	ask := map[string]string{"by": o.by, "reason": o.reason}
	if o.hold > 0 {
		ask["for"] = o.hold.String()
	}
	if scope != "" {
		ask["scope"] = scope
	}
	if err := to.call(c.Context(), http.MethodPost, path, ask, &answer); err != nil {
		return ExitError{Code: ExitFailure, Err: err}
	}
	return print(s, o.output, answer, answer.Result)
}

// known is asked before anything is done: a wrong -o must not hide what was.
func known(output string) error {
	if output != "text" && output != "json" {
		return failure("no output format is called %q: use -o text or -o json", output)
	}
	return nil
}

func print(s Streams, output string, value any, lines ...string) error {
	if output == "json" {
		return json.NewEncoder(s.Out).Encode(value)
	}
	for _, line := range lines {
		if _, err := fmt.Fprintln(s.Out, scan.Visible(line)); err != nil {
			return err
		}
	}
	return nil
}

func newUndo(s Streams) *cobra.Command {
	var b batch
	c := &cobra.Command{
		Use:   "undo CASE | --since DURATION",
		Short: "Take back what was done about a case, or all that was done lately",
		Long: "Take back what was done about a case: the recorded prior state is restored, if what is there is still K8Guard's.\n" +
			"With --since every act of the last so long is taken back, one after the other. It works under a freeze; freeze\n" +
			"first if nothing more is to be done meanwhile. A CronJob that is resumed starts a run that it missed at once.",
		Example: "  k8guard undo c-mfrggzdfmztwq2lknnwg23tpoa --reason \"needed for the release\"\n" +
			"  k8guard undo --since 2h --reason \"the new rule was wrong\" --every 5s",
		Args: arguments(cobra.MaximumNArgs(1)), ValidArgsFunction: noWords,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case (len(args) == 1) == (b.since != 0):
				return failure("name a case, or a time with --since, such as --since 2h")
			case len(args) == 0:
				return b.run(s, c)
			}
			return b.post(s, c, "/api/v1/cases/"+url.PathEscape(args[0])+"/undo", "")
		},
	}
	b.request.flags(c)
	b.flags(c)
	return c
}

func newFreeze(s Streams) *cobra.Command {
	return freezer(s, "freeze", "Stop all enforcement, now", "  k8guard freeze --reason \"incident 42\"\n  k8guard freeze rule/IMAGE_REPO --reason \"registry moves\"")
}

func newUnfreeze(s Streams) *cobra.Command {
	return freezer(s, "unfreeze", "Allow enforcement again", "  k8guard unfreeze --reason \"incident 42 is over\"")
}

func freezer(s Streams, name, short, example string) *cobra.Command {
	var o request
	c := &cobra.Command{
		Use:     name + " [SCOPE]",
		Short:   short,
		Long:    short + ". SCOPE is global (the default), cluster/NAME or rule/ID.",
		Example: example,
		Args:    arguments(cobra.MaximumNArgs(1)), ValidArgsFunction: scopes,
		RunE: func(c *cobra.Command, args []string) error {
			scope := "global"
			if len(args) == 1 {
				scope = args[0]
			}
			return o.post(s, c, "/api/v1/"+name, scope)
		},
	}
	o.flags(c)
	return c
}

func newBreaker(s Streams) *cobra.Command {
	var o request
	var cluster string
	c := &cobra.Command{
		Use:     "breaker",
		Short:   "The circuit breaker, which only a person closes",
		Example: "  k8guard breaker close --reason \"the two undos were a drill\"",
	}
	closing := &cobra.Command{
		Use:     "close",
		Short:   "Close the circuit breaker",
		Example: "  k8guard breaker close --reason \"the two undos were a drill\"",
		Args:    arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error {
			scope := ""
			if cluster != "" {
				scope = "cluster/" + cluster
			}
			return o.post(s, c, "/api/v1/breaker/close", scope)
		},
	}
	o.flags(closing)
	closing.Flags().StringVar(&cluster, "cluster", "", "of which cluster, by its name; needed where several are open")
	c.AddCommand(closing)
	return c
}

func newWhoOwns(s Streams) *cobra.Command {
	var to reach
	var output string
	c := &cobra.Command{
		Use:     "whoowns NAMESPACE[/KIND/NAME]",
		Short:   "Say who is told about a namespace, and how that is known",
		Example: "  k8guard whoowns shop\n  k8guard whoowns shop/deployment/cart -o json",
		Args:    arguments(cobra.ExactArgs(1)), ValidArgsFunction: noWords,
		RunE: func(c *cobra.Command, args []string) error {
			if err := known(output); err != nil {
				return err
			}
			query, err := subject(args[0])
			if err != nil {
				return err
			}
			var found app.WhoOwns
			if err := to.ask(c, s, "/api/v1/whoowns?"+query, &found); err != nil {
				return err
			}
			return print(s, output, found, ownerText(found)...)
		},
	}
	to.flags(c)
	c.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	complete(c, "output", "text", "json")
	return c
}

// subject turns NAMESPACE[/KIND/NAME] into a query.
func subject(arg string) (string, error) {
	parts := strings.Split(arg, "/")
	query := url.Values{"namespace": parts[:1]}
	switch len(parts) {
	case 1:
	case 3:
		query["kind"], query["name"] = parts[1:2], parts[2:]
	default:
		return "", failure("%q is neither a namespace nor NAMESPACE/KIND/NAME", arg)
	}
	return query.Encode(), nil
}

// ownerText is who owns in one line, and below it where that was looked for.
func ownerText(o app.WhoOwns) []string {
	of := first(o.Root, o.Namespace)
	lines := []string{of + ": nobody; its cases need a human. Annotate the namespace, name it in owners.teamsFile, or set owners.fallback"}
	if len(o.Emails) > 0 {
		lines[0] = fmt.Sprintf("%s: %s (%s)", of, strings.Join(o.Emails, ", "), o.From)
		if !o.Platform {
			lines[0] += "; it is told, but its warnings do not count for an act"
		}
	}
	for _, rule := range slices.Sorted(maps.Keys(o.Rules)) {
		who := o.Rules[rule]
		lines = append(lines, fmt.Sprintf("  %s: %s (%s)", rule, strings.Join(who.Emails, ", "), who.From))
	}
	for i, a := range o.Chain {
		lines = append(lines, fmt.Sprintf("  %d. %s: %s", i+1, a.From, asked(a)))
	}
	return lines
}

func asked(a app.Asked) string {
	text := "names nobody"
	if len(a.Emails) > 0 {
		text = strings.Join(a.Emails, ", ")
	}
	if len(a.Emails) > 0 && !a.Counts {
		text += "; its warnings do not count"
	}
	if a.Taken {
		text += "; taken"
	}
	if len(a.Malformed) > 0 {
		text += fmt.Sprintf("; not understood: %q", a.Malformed)
	}
	if len(a.Outside) > 0 {
		text += "; outside notify.email.domains: " + strings.Join(a.Outside, ", ")
	}
	return text
}

// quiet leaves the configuration's warnings to the commands that are about it.
func quiet(s Streams) Streams {
	s.Err = io.Discard
	return s
}
