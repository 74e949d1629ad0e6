// Command supply looks at what K8Guard is made with: govulncheck over what ships. That every
// tool and server has a fixed version, and which licences ship, are tests.
//
// Exit code: 0 all is well, or the database of weaknesses cannot be reached, which is then
// said; 1 a weakness that is called, or govulncheck itself failed.
package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	database = "https://vuln.go.dev"
	patience = 20 * time.Second
)

func main() {
	from := database
	if set := os.Getenv("GOVULNDB"); set != "" {
		from = set
	}
	os.Exit(check(os.Stdout, from))
}

func check(out io.Writer, from string) int {
	if err := reachable(from); err != nil {
		_, _ = fmt.Fprintf(out, "== LEFT OUT: govulncheck: its database cannot be reached: %v\n", err)
		_, _ = fmt.Fprintln(out, "   nobody looked for known weaknesses; run make supply where "+database+" answers, or set GOVULNDB")
		return 0
	}
	scan := exec.Command("go", "tool", "-modfile=tools/govulncheck/go.mod", "govulncheck", "-db", from, "./cmd/k8guard")
	scan.Stdout, scan.Stderr = out, os.Stderr
	if err := scan.Run(); err != nil {
		_, _ = fmt.Fprintln(out, "govulncheck:", err)
		return 1
	}
	return 0
}

// reachable asks for the database's own first file.
func reachable(from string) error {
	if strings.HasPrefix(from, "file://") {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, from+"/index/db.json", http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", from, answer.Status)
	}
	return nil
}
