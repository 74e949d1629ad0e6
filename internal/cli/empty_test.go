package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/cli"
)

func TestNothingToJudgeIsNoSuccess(t *testing.T) {
	for _, path := range []string{"-", t.TempDir()} {
		var out, errs bytes.Buffer
		root := cli.New(cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs})
		root.SetArgs([]string{"scan", path})
		if err := root.Execute(); cli.Code(err) != cli.ExitFailure {
			t.Errorf("scan %s: exit %d, %v", path, cli.Code(err), err)
		}
	}
}
