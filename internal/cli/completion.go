package cli

import (
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// plugin is the name by which kubectl finds the program, and how people then call it.
const (
	pluginFile = "kubectl-k8guard"
	pluginName = "kubectl k8guard"
)

// complete offers fixed words for a flag. The flag exists: the command was just given it.
func complete(c *cobra.Command, flag string, words ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic("cli: completing --" + flag + ": " + err.Error()) // a mistake of ours that every test meets
	}
}

// addCompletion adds cobra's command, and says that no flag or argument but the known ones
// takes a file: a namespace or a case is known to a cluster, which is not asked for a TAB.
func addCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	walk(root, func(c *cobra.Command) {
		if c.Parent() != nil && c.Parent().Name() == "completion" {
			c.Example = "  source <(k8guard completion " + c.Name() + ")"
		}
		if c.Name() == "completion" {
			c.Example = "  source <(k8guard completion bash)"
		}
		for _, flag := range []string{"namespace", "context", "by", "reason", "set"} {
			if c.Flags().Lookup(flag) != nil {
				complete(c, flag)
			}
		}
	})
}

// asPlugin names the commands as people call them when kubectl runs the program.
func asPlugin(root *cobra.Command, program string) {
	if strings.TrimSuffix(filepath.Base(program), ".exe") != pluginFile {
		return
	}
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: pluginName}
	walk(root, func(c *cobra.Command) {
		c.Example = strings.ReplaceAll(c.Example, "k8guard ", pluginName+" ")
	})
}

func walk(c *cobra.Command, visit func(*cobra.Command)) {
	visit(c)
	for _, sub := range c.Commands() {
		walk(sub, visit)
	}
}

// explainable are the ids of the rules; none where they cannot be made.
func explainable(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	ids, err := ruleIDs()
	if err != nil || len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

// scopes are what may be frozen, as far as it is known without a cluster.
func scopes(c *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	ids, directive := explainable(c, args, typed)
	if len(args) > 0 {
		return nil, directive
	}
	all := []cobra.Completion{"global"}
	for _, id := range ids {
		all = append(all, "rule/"+id)
	}
	return all, directive
}

// noWords is for arguments that only a cluster knows.
func noWords(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return nil, cobra.ShellCompDirectiveNoFileComp
}
