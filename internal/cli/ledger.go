package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
)

func newLedger(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use: "ledger", Short: "Look after the ledger", Example: "  k8guard ledger export ledger.jsonl",
		Args: arguments(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newLedgerExport(s), newLedgerImport(s), newLedgerSchema(s))
	return c
}

func newLedgerSchema(s Streams) *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "schema", Short: "Print the CQL of a ledger on Cassandra",
		Long: "Print the CQL that makes the keyspace and the tables of a ledger on Cassandra, for where K8Guard may not make them\n" +
			"itself (ledger.cassandra.createSchema: false). To run it again does no harm.",
		Example: "  k8guard ledger schema --set ledger.cassandra.localDC=dc1 | cqlsh",
		Args:    arguments(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			conf, err := loadConfig(s, file)
			if err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			text, err := app.LedgerSchema(conf)
			if err != nil {
				return ExitError{Code: ExitFailure, Err: err}
			}
			_, err = fmt.Fprint(s.Out, text)
			return err
		},
	}
	configFlag(c, &file)
	return c
}
