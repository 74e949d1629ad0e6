package cli

import "github.com/spf13/cobra"

// complete offers fixed words for a flag. The flag exists: the command was just given it.
func complete(c *cobra.Command, flag string, words ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(toCompletions(words), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic("cli: completing --" + flag + ": " + err.Error()) // a mistake of ours that every test meets
	}
}

func toCompletions(words []string) []cobra.Completion { return words }
