package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/k8guard/k8guard/tools/services"
)

const addressFile = "addresses.env"

func (c command) folder(kind services.Kind) string { return filepath.Join(c.dir, string(kind)) }

func (c command) file() string { return filepath.Join(c.dir, addressFile) }

func (c command) up(ctx context.Context) error {
	for _, kind := range c.kinds {
		if err := c.start(ctx, kind); err != nil {
			return err
		}
	}
	text, err := c.writeAddresses()
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "up\n%sthe same is in %s\n", text, c.file())
	return nil
}

// writeAddresses names all services of the set that run, or removes the file if none does.
func (c command) writeAddresses() (string, error) {
	var text strings.Builder
	for _, kind := range services.Kinds() {
		if s, err := services.Attach(c.folder(kind)); err == nil {
			text.WriteString(describe(s))
		}
	}
	if text.Len() == 0 {
		if err := os.Remove(c.file()); err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", fmt.Errorf("remove the addresses: %w", err)
		}
		return "", nil
	}
	if err := os.WriteFile(c.file(), []byte(text.String()), 0o600); err != nil {
		return "", fmt.Errorf("write the addresses: %w", err)
	}
	return text.String(), nil
}

// start starts a service unless it runs, in the place of what a crash left.
func (c command) start(ctx context.Context, kind services.Kind) error {
	found, err := services.Attach(c.folder(kind))
	if err == nil {
		fmt.Fprintf(c.out, "%s is already up\n", kind)
		return nil
	}
	if !errors.Is(err, services.ErrNotRunning) {
		return err
	}
	if found != nil {
		if err := found.Remove(); err != nil {
			return err
		}
	}
	o := c.options
	o.Dir = c.folder(kind)
	if kind == services.Memcached {
		o.Nodes = 1
	}
	_, err = services.Start(ctx, kind, o)
	return err
}

func (c command) down() error {
	running := 0
	for _, kind := range c.kinds {
		found, err := services.Attach(c.folder(kind))
		if found == nil && !errors.Is(err, services.ErrNotRunning) {
			return err
		}
		if found == nil {
			continue
		}
		running++
		if err := found.Remove(); err != nil {
			return err
		}
	}
	if _, err := c.writeAddresses(); err != nil {
		return err
	}
	_ = os.Remove(c.dir) // holds something of another's
	if running == 0 {
		fmt.Fprintln(c.out, "already down")
		return nil
	}
	fmt.Fprintln(c.out, "down")
	return nil
}

func (c command) status() error {
	var problem error
	for _, kind := range c.kinds {
		found, err := services.Attach(c.folder(kind))
		if err != nil {
			fmt.Fprintln(c.out, err)
			problem = errors.Join(problem, err)
			continue
		}
		fmt.Fprintf(c.out, "%s runs\n%s", kind, describe(found))
	}
	return problem
}

// fetch says what is missing rather than failing: tests are then left out, and say so.
func (c command) fetch(ctx context.Context) error {
	for _, kind := range c.kinds {
		if missing := services.Missing(ctx, kind, true); len(missing) > 0 {
			fmt.Fprintf(c.out, "%s: %s; its tests are left out (with CI=true they fail)\n", kind, strings.Join(missing, "; "))
			continue
		}
		if kind == services.Memcached {
			continue
		}
		dir, err := services.Fetch(ctx, kind, c.options.Progress)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "%s: %s\n", kind, dir)
	}
	return nil
}

// describe gives lines that a shell can read.
func describe(s *services.Service) string {
	var text strings.Builder
	line := func(name, value string) {
		fmt.Fprintf(&text, "%s%s='%s'\n", strings.ToUpper(string(s.Kind())), name, value)
	}
	line("", strings.Join(s.Addresses(), ","))
	access := s.Access()
	if !access.Secured {
		return text.String()
	}
	if mutual := s.MutualAddresses(); len(mutual) > 0 {
		line("_MUTUAL", strings.Join(mutual, ","))
	}
	line("_USER", services.Admin)
	line("_PASSWORD", access.Password)
	line("_CA", access.CA)
	line("_CERT", access.Cert)
	line("_KEY", access.Key)
	return text.String()
}
