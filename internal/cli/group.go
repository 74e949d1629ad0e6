package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// near is how many letters a typed command may be off to be guessed.
const near = 2

// group is the check of a command that has commands below it: a word after it is one that does
// not exist, and no success.
func group(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return noCommand(c, args[0])
}

// noCommand says which command there is not, and what may be meant.
func noCommand(c *cobra.Command, typed string) error {
	hint := ""
	c.SuggestionsMinimumDistance = near
	if close := c.SuggestionsFor(typed); len(close) > 0 {
		hint = "; did you mean " + strings.Join(close, " or ") + "?"
	} else if names := commandNames(c); c.HasParent() && len(names) > 0 {
		hint = "; write one of " + strings.Join(names, ", ")
	}
	return ExitError{Code: ExitFailure, Err: fmt.Errorf("unknown command %q for %q%s; see %s --help", typed, c.CommandPath(), hint, c.CommandPath())}
}

func commandNames(c *cobra.Command) (names []string) {
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			names = append(names, sub.Name())
		}
	}
	return names
}

// newHelp is cobra's, but a topic that does not exist is an error.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND]", Short: "Help about any command", Example: "  k8guard help undo",
		ValidArgsFunction: func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			found, rest, err := c.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return commandNames(found), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			found, rest, err := c.Root().Find(args)
			if err != nil {
				return usage(c, err)
			}
			if len(rest) > 0 {
				return noCommand(found, rest[0])
			}
			found.InitDefaultHelpFlag()
			return found.Help()
		},
	}
}
