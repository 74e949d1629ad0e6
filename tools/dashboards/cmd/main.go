// Command cmd writes the dashboards, the rules and their description into the repository, whose
// root is the working folder.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/k8guard/k8guard/tools/dashboards"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func write() error {
	files, err := dashboards.Files()
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
