package cli

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
)

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
	for _, channel := range slices.Sorted(maps.Keys(o.Chats)) {
		lines = append(lines, fmt.Sprintf("  on %s: mentions %s", channel, strings.Join(o.Chats[channel], ", ")))
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
