package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/report"
	"github.com/k8guard/k8guard/internal/scan"
)

// request is what the commands that change something have in common.
type request struct {
	reach
	by, reason, output string

	hold   time.Duration // of ack alone
	accept bool          // of breaker close alone
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
	to, err := o.ready(s)
	if err != nil {
		return err
	}
	_, err = o.send(s, c, to, path, scope)
	return err
}

// ready is whom to ask, once all is said that a change wants.
func (o *request) ready(s Streams) (*client, error) {
	if err := known(o.output); err != nil {
		return nil, err
	}
	if strings.TrimSpace(o.reason) == "" {
		return nil, failure("say why, for the record: --reason \"...\"")
	}
	return o.client(s)
}

func (o *request) send(s Streams, c *cobra.Command, to *client, path, scope string) (answer report.Answer, err error) {
	ask := map[string]any{"by": o.by, "reason": o.reason}
	if o.accept {
		ask["acceptLedger"] = true
	}
	if o.hold > 0 {
		ask["for"] = o.hold.String()
	}
	if scope != "" {
		ask["scope"] = scope
	}
	if err := to.call(c.Context(), http.MethodPost, path, ask, &answer); err != nil {
		return answer, ExitError{Code: ExitFailure, Err: err}
	}
	return answer, print(s, o.output, answer, answer.Result)
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
		Args:    group,
		RunE: func(*cobra.Command, []string) error {
			return failure("say what to do: k8guard breaker close --reason \"...\"; k8guard status shows whether it is open")
		},
	}
	closing := &cobra.Command{
		Use:   "close",
		Short: "Close the circuit breaker",
		Example: "  k8guard breaker close --reason \"the two undos were a drill\"\n" +
			"  k8guard breaker close --cluster prod --accept-ledger --reason \"restored last night's backup, the open cases are looked at\"",
		Args: arguments(cobra.NoArgs),
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
	closing.Flags().BoolVar(&o.accept, "accept-ledger", false, "take a ledger that was restored, or is another one, as it is: its ladders go on")
	c.AddCommand(closing)
	return c
}
