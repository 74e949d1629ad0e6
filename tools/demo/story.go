package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/stage"
)

// demo tells one story.
type demo struct {
	out     io.Writer
	once    bool
	from    time.Time
	home    home
	sites   []site
	stage   *stage.Stage   // whose report is asked, and whose mail server takes the mail
	others  []*stage.Stage // further reports, that must say the same
	running []*stage.Process
	mails   int
	known   map[string]string // the status told of each case
	shown   map[string]before // of what is restored later
}

// site is one cluster, and how K8Guard calls it.
type site struct {
	name string
	*stage.Stage
}

// home is how K8Guard lives: as one process, or as services.
type home interface {
	// setUp makes the sites and whatever else it needs.
	setUp(ctx context.Context, dir string, rules config.Rules) error
	// start starts K8Guard and returns when it serves.
	start(ctx context.Context) error
	// dump reads the ledger, not through K8Guard; it has ended.
	dump(ctx context.Context) (judge.Dump, error)
	// takeDown stops all that setUp began.
	takeDown() error
}

// end asks every process to end, as an operator would, all at once.
func (d *demo) end() error {
	errs := make([]error, len(d.running))
	var all sync.WaitGroup
	for i, p := range d.running {
		all.Go(func() { errs[i] = p.Terminate(60 * time.Second) })
	}
	all.Wait()
	return errors.Join(errs...)
}

func (d *demo) stopSites() error {
	var errs []error
	for _, s := range d.sites {
		errs = append(errs, s.Stop())
	}
	return errors.Join(errs...)
}

func (d *demo) names() (all []string) {
	for _, s := range d.sites {
		all = append(all, s.name)
	}
	return all
}

// limit bounds how long the story may take once everything runs.
const limit = 3 * time.Minute

func (d *demo) say(format string, args ...any) {
	_, _ = fmt.Fprintf(d.out, "%5.1fs  %s\n", time.Since(d.from).Seconds(), fmt.Sprintf(format, args...))
}

func (d *demo) tell(ctx context.Context, expect expectation) error {
	d.say("2. Three teams deploy examples/demo: good workloads and bad ones")
	for _, s := range d.sites {
		if err := s.Cluster.Apply(ctx, "examples/demo"); err != nil {
			return err
		}
		if err := d.remember(ctx, s, expect.Undo); err != nil {
			return err
		}
	}
	d.say("3. K8Guard watches every namespace, may act in shop and payments alone, and is sped up for the demo:")
	d.printOverrides()
	if err := d.home.start(ctx); err != nil {
		return err
	}
	d.say("   the report: %s", d.stage.Config.Report.URL)
	d.say("   the mails:  %s", d.stage.Mail.URL())
	story, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	if err := d.until(story, expect.played); err != nil {
		return fmt.Errorf("the story did not come to its end in %s: %w", limit, err)
	}
	d.say("4. Everything that was announced has been done. To take one back, type for example:")
	for _, root := range expect.Undo {
		d.say("     bin/k8guard undo %s --reason \"we need it\" --config %s", d.caseOf(ctx, d.sites[0], root), d.stage.ConfigFile())
	}
	if !d.once {
		d.say("   It stays up: look around, kubectl works with KUBECONFIG=%s. Ctrl-C ends it.", d.stage.Cluster.Kubeconfig())
		err := d.until(ctx, func([]ledger.CaseRow, []mailSeen) bool { return false })
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	return d.finish(ctx, expect)
}

func (d *demo) printOverrides() {
	l, e := d.stage.Config.Policies[0].Ladder, d.stage.Config.Enforce
	def := config.Default().Enforce
	d.say("     ladder   %d warnings, %s apart (default 3, 24h apart)", l.Warnings, l.Wait)
	d.say("     age      %s (default %s)", e.MinimumAge, def.MinimumAge)
	d.say("     budget   %d an hour, %g %% of workloads (default %d, %g %%)", e.Budget.PerHour, e.Budget.Percent, def.Budget.PerHour, def.Budget.Percent)
	d.say("     breaker  opens at %d undos an hour (default %d)", e.Breaker.UndosPerHour, def.Breaker.UndosPerHour)
}

// until tells what happens as it happens, until done says so.
func (d *demo) until(ctx context.Context, done func([]ledger.CaseRow, []mailSeen) bool) error {
	for {
		rows, err := d.stage.Cases(ctx)
		if err != nil && ctx.Err() == nil {
			return err
		}
		d.tellCases(rows)
		mails := d.mailbox()
		d.tellMails(mails)
		if err == nil && done(rows, mails) {
			return nil
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), fmt.Errorf("cases: %s", summary(rows)))
		case <-time.After(250 * time.Millisecond):
		}
	}
}

func (d *demo) tellCases(rows []ledger.CaseRow) {
	for _, r := range rows {
		before := d.known[r.ID]
		if before == r.Status {
			continue
		}
		d.known[r.ID] = r.Status
		switch {
		case before == "":
			d.say("   found   %-28s %s (%s): %s", d.name(r), r.Case.Rule, r.Case.Source, r.Case.Message)
		case r.Status == ledger.StatusActed:
			d.say("   ACTED   %-28s %s/cases/%s", d.name(r), d.stage.Config.Report.URL, r.ID)
		default:
			d.say("   now %s  %s", r.Status, d.name(r))
		}
	}
}

// name says which cluster where there are several.
func (d *demo) name(r ledger.CaseRow) string {
	if len(d.sites) > 1 {
		return r.Cluster + " " + r.Root.String()
	}
	return r.Root.String()
}

func (d *demo) tellMails(mails []mailSeen) {
	for _, m := range mails[min(d.mails, len(mails)):] {
		d.say("   mail    to %-24s %q: read %smail/%d", m.to, m.subject, d.stage.Mail.URL(), m.n)
	}
	d.mails = len(mails)
}

// mailSeen is one mail, as the story needs it.
type mailSeen struct {
	n           int
	to, subject string
	warns       bool
	undone      int // cases that it says are undone
}

func (d *demo) mailbox() []mailSeen {
	var all []mailSeen
	for _, m := range d.stage.Mail.Messages() {
		all = append(all, mailSeen{n: m.N, to: strings.Join(m.Rcpts, ","), subject: m.Subject,
			warns: strings.Contains(m.Subject, "warning"), undone: undoneIn(m.Subject)})
	}
	return all
}

// undoneIn reads "2 undone" out of a subject.
func undoneIn(subject string) int {
	words := strings.Fields(subject)
	for i, word := range words[:max(0, len(words)-1)] {
		if n, err := strconv.Atoi(word); err == nil && strings.TrimRight(words[i+1], ",") == "undone" {
			return n
		}
	}
	return 0
}

func (d *demo) caseOf(ctx context.Context, s site, root string) string {
	rows, err := d.stage.Cases(ctx)
	if err != nil {
		return "CASE"
	}
	for _, r := range rows {
		if r.Cluster == s.name && r.Root.String() == root {
			return r.ID
		}
	}
	return "CASE"
}

func summary(rows []ledger.CaseRow) string {
	var parts []string
	for _, r := range rows {
		parts = append(parts, fmt.Sprintf("%s %s %s %s", r.Root, r.Case.Rule, r.Status, r.Case.Plan.Reason))
	}
	return strings.Join(parts, "; ")
}
