// Command gatemutants breaks each rule of the gate and sees whether its own test notices.
//
// Purpose: the proof that no rule of the gate is there for show. For each rule it takes the
// rule's line out of Gate(), and makes the predicate always say yes; with -branches it also
// makes each single condition of the predicates false. The rule's named test must fail.
//
// Concurrency: mutants are built and tested side by side, as many as there are processors.
//
// Guarantees: the working tree is never changed (go test -overlay, in a temporary folder).
// A mutant that does not compile, or that fails another test only, counts as survived. The
// exit code is 0 only if every test passes without a mutant and every mutant is killed.
//
// It will not: judge what the tests of other packages would say.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// dir is the gate's package, from the repository's root.
const dir = "internal/enforce"

func main() {
	branches := flag.Bool("branches", false, "also make each condition of the predicates false, one by one")
	jobs := flag.Int("j", runtime.NumCPU(), "mutants at a time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	survived, err := run(ctx, *branches, *jobs)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gate-mutants:", err)
		stop()
		os.Exit(2)
	}
	if survived > 0 {
		fmt.Fprintf(os.Stderr, "gate-mutants: %d survived\n", survived)
		stop()
		os.Exit(1)
	}
}

// run returns how many mutants survived.
func run(ctx context.Context, branches bool, jobs int) (int, error) {
	start := time.Now()
	root, err := repository(ctx)
	if err != nil {
		return 0, err
	}
	g, err := readGate(filepath.Join(root, dir))
	if err != nil {
		return 0, err
	}
	temp, err := os.MkdirTemp("", "gate-mutants-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	b := bench{root: root, temp: temp}
	tests, err := b.baseline(ctx, g.rules)
	if err != nil {
		return 0, err
	}
	fmt.Printf("gate-mutants: %d rules; all named tests pass without a mutant (%s)\n", len(g.rules), since(start))
	mutants := append(g.removals(), g.bodies()...)
	if branches {
		mutants = append(mutants, g.branches()...)
	}
	if err := b.try(ctx, mutants, tests, jobs); err != nil {
		return 0, err
	}
	survived := report(g.rules, tests, mutants)
	fmt.Printf("gate-mutants: %d mutants, %d survived, %s\n", len(mutants), survived, since(start))
	return survived, nil
}

// repository is the folder of the go.mod.
func repository(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOMOD").Output()
	if err != nil {
		return "", fmt.Errorf("asking go for the module: %w", err)
	}
	mod := strings.TrimSpace(string(out))
	if filepath.Base(mod) != "go.mod" {
		return "", fmt.Errorf("no go.mod above this folder; run it inside the repository")
	}
	return filepath.Dir(mod), nil
}

// report prints a line for each rule and returns how many mutants survived.
func report(rules []gateRule, tests map[int]string, mutants []*mutant) int {
	survived := 0
	cell := map[string][2]int{} // killed, all
	for _, m := range mutants {
		key := fmt.Sprintf("%d %s", m.rule, m.kind)
		n := cell[key]
		n[1]++
		if m.killed {
			n[0]++
		} else {
			survived++
		}
		cell[key] = n
	}
	say := func(number int, kind string) string {
		n := cell[fmt.Sprintf("%d %s", number, kind)]
		switch {
		case n[1] == 0:
			return "-"
		case n[0] == n[1] && n[1] == 1:
			return "killed"
		case n[1] == 1:
			return "SURVIVED"
		}
		return fmt.Sprintf("%d of %d", n[0], n[1])
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nrule\tname\ttest\tline removed\talways yes\tconditions")
	for _, r := range rules {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\n", r.number, r.name, tests[r.number],
			say(r.number, removed), say(r.number, always), say(r.number, branch))
	}
	_ = w.Flush()
	for _, m := range mutants {
		if !m.killed {
			fmt.Printf("survived: rule %d, %s, %s: %s\n", m.rule, m.kind, m.what, strings.Join(strings.SplitN(m.why, "\n", 4)[:min(3, strings.Count(m.why, "\n")+1)], " | "))
		}
	}
	fmt.Println()
	return survived
}

func since(t time.Time) time.Duration { return time.Since(t).Round(100 * time.Millisecond) }
