// Command screenshots takes the pictures of docs/images from a running report.
//
// Purpose: the pictures can be retaken at any time: screenshots URL CASE OUTDIR.
//
// Concurrency: one picture after the other, each in a browser of its own.
//
// Guarantees: it exits with 1 unless every picture was written.
//
// It will not: start a report, or leave a browser or a profile behind.
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

type shot struct {
	file, path, size string
	dark             bool
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: screenshots URL CASE OUTDIR (http://127.0.0.1:8080 c0001 docs/images)")
		os.Exit(2)
	}
	for _, s := range []shot{
		{"overview.png", "/", "1440,1250", false}, {"overview-dark.png", "/", "1440,1250", true},
		{"case.png", "/cases/" + os.Args[2], "1440,1150", false}, {"cases-phone.png", "/cases", "390,1000", false},
	} {
		if err := take(s, os.Args[1], os.Args[3]); err != nil {
			fmt.Fprintln(os.Stderr, "screenshots:", err)
			os.Exit(1)
		}
	}
}

// take gives the browser a minute and a throw-away profile.
func take(s shot, base, dir string) error {
	profile, err := os.MkdirTemp("", "screenshots")
	if err != nil {
		return fmt.Errorf("make a profile: %w", err)
	}
	defer func() { _ = os.RemoveAll(profile) }()
	file, err := filepath.Abs(filepath.Join(dir, s.file))
	if err != nil {
		return fmt.Errorf("find %s: %w", s.file, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	scheme := "1"
	if s.dark {
		scheme = "0"
	}
	out, err := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--user-data-dir="+profile,
		"--blink-settings=preferredColorScheme="+scheme, "--window-size="+s.size, "--screenshot="+file, base+s.path).CombinedOutput()
	if err != nil {
		return fmt.Errorf("picture of %s: %w: %s", s.path, err, out)
	}
	return nil
}
