package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/all"
)

func newRules(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use: "rules", Short: "List and explain the rules", Example: "  k8guard rules list",
		Args: group,
		RunE: func(*cobra.Command, []string) error { return listRules(s) },
	}
	c.AddCommand(
		&cobra.Command{
			Use: "list", Short: "List every rule", Example: "  k8guard rules list", Args: arguments(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return listRules(s) },
		},
		&cobra.Command{
			Use: "explain ID", Short: "Say why a rule matters and what to do",
			Example: "  k8guard rules explain PRIVILEGED", Args: arguments(cobra.ExactArgs(1)), ValidArgsFunction: explainable,
			RunE: func(_ *cobra.Command, args []string) error { return explainRule(s, args[0]) },
		},
		&cobra.Command{
			Use: "docs", Short: "Print the rules as Markdown",
			Example: "  k8guard rules docs > docs/generated/rules.md", Args: arguments(cobra.NoArgs),
			RunE: func(*cobra.Command, []string) error { return printDocs(s) },
		},
	)
	return c
}

// metas are the rules as built in, whatever is configured.
func metas() ([]rule.Meta, error) {
	rules, err := all.Rules(config.Rules{}, config.Owners{})
	if err != nil {
		return nil, err
	}
	engine, err := rule.NewEngine(rules...)
	if err != nil {
		return nil, err
	}
	return engine.Rules(), nil
}

func listRules(s Streams) error {
	ms, err := metas()
	if err != nil {
		return err
	}
	width := 0
	for _, m := range ms {
		width = max(width, len(m.ID))
	}
	for _, m := range ms {
		if _, err := fmt.Fprintf(s.Out, "%-*s %-9s %s\n", width, m.ID, m.Severity, m.Title); err != nil {
			return fmt.Errorf("printing the rules: %w", err)
		}
	}
	return nil
}

func explainRule(s Streams, id string) error {
	ms, err := metas()
	if err != nil {
		return err
	}
	var ids []string
	for _, m := range ms {
		if m.ID == strings.ToUpper(id) {
			_, err := fmt.Fprint(s.Out, describe(m))
			return err
		}
		ids = append(ids, m.ID)
	}
	return failure("no rule is called %q; %s", id, config.Suggest(id, ids))
}

func printDocs(s Streams) error {
	ms, err := metas()
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("# Rules\n\nRendered by `k8guard rules docs`; do not edit.\n")
	for _, m := range ms {
		b.WriteString("\n## " + describe(m))
	}
	_, err = fmt.Fprint(s.Out, b.String())
	return err
}

func describe(m rule.Meta) string {
	kinds := make([]string, 0, len(m.Kinds))
	for _, k := range m.Kinds {
		kinds = append(kinds, string(k))
	}
	return fmt.Sprintf("%s\n\n%s.\n\n- Severity: %s\n- Category: %s\n- Kinds: %s\n- Revision: %d\n%s\nWhy: %s\n\nRemedy: %s\n",
		m.ID, m.Title, m.Severity, m.Category, strings.Join(kinds, ", "), m.Revision, parameters(m), m.Why, m.Remedy)
}

// parameters lists the keys of the configuration that steer the rule, each with its default.
func parameters(m rule.Meta) string {
	var b strings.Builder
	for _, key := range m.Keys {
		text, _ := config.Describe(config.Default(), key)
		fmt.Fprintf(&b, "- Parameter `%s`: %s\n", key, text)
	}
	if len(m.Keys) == 0 {
		b.WriteString("- Parameters: none\n")
	}
	return b.String()
}
