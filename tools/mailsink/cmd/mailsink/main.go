// Command mailsink runs a mail sink until it is told to stop.
//
// Purpose: the mail server of demonstrations and tests. The first line on standard output
// is JSON: smtp, http and ca.
//
// Concurrency: one process; several need folders of their own.
//
// Guarantees: those of package mailsink.
//
// It will not: listen beyond loopback.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/k8guard/k8guard/tools/mailsink"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var o mailsink.Options
	flag.StringVar(&o.Dir, "dir", "mailsink", "folder for the mail, the index and the CA")
	flag.StringVar(&o.SMTPAddr, "smtp-addr", "127.0.0.1:0", "where mail is taken; loopback")
	flag.StringVar(&o.HTTPAddr, "http-addr", "127.0.0.1:0", "where the page is; loopback")
	flag.StringVar(&o.User, "user", "", "user name; empty lets everybody send")
	flag.StringVar(&o.Password, "password", "", "password of the user")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := mailsink.Start(o)
	if err != nil {
		return err
	}
	first := map[string]string{"smtp": s.SMTPAddr(), "http": s.URL(), "ca": s.CAFile()}
	if err := json.NewEncoder(os.Stdout).Encode(first); err != nil {
		return fmt.Errorf("print the addresses: %w", err)
	}
	<-ctx.Done()
	return s.Close()
}
