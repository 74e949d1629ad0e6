package faults

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/tools/stage"
	"github.com/k8guard/k8guard/tools/stage/stagetest"
)

// warnings is X of the ladder, tries is M: so many mails at most.
const (
	warnings = 2
	tries    = warnings + 2
)

// slow is how much longer than on a machine of our own everything may take.
const slow = 4

// house is one K8Guard, which may act in its own namespace only.
type house struct {
	*stage.Stage
	t     *testing.T
	p     plane
	ns    string
	owner string
	dir   string
	run   *stage.Process
}

// newHouse makes the namespace and sets K8Guard up; it does not start it.
func newHouse(t *testing.T, p plane, ns string, change func(*config.Config)) *house {
	t.Helper()
	h := &house{t: t, p: p, ns: ns, owner: ns + "@stage.example", dir: stagetest.Folder(t)}
	h.namespace(ns, h.owner)
	h.home()
	s, err := p.Beside(stage.Options{Dir: h.dir, Enforce: []string{ns}, Change: func(c *config.Config) {
		quick(c, ns)
		if change != nil {
			change(c)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	h.Stage = s
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// quick is a ladder of seconds and limits that do not bind; the other stories are none of ours.
func quick(c *config.Config, ns string) {
	c.Cluster.Namespace = homeOf(ns)
	c.Discover.Resync = 2 * time.Second
	c.Discover.IgnoreNamespaces = slices.DeleteFunc(others(), func(s string) bool { return strings.HasPrefix(s, ns) })
	c.Notify.Gather, c.Notify.Gap = 200*time.Millisecond, 200*time.Millisecond
	c.Policies[0].Ladder = config.Ladder{Standing: 300 * time.Millisecond, Warnings: warnings, Wait: time.Second, LastWait: time.Second}
	c.Policies[1].Ladder = c.Policies[0].Ladder
	b := &c.Enforce.Budget
	b.Round, b.Percent, b.Floor = 300*time.Millisecond, 100, 1000
	c.Enforce.CoolOff = time.Hour
}

func homeOf(ns string) string { return "k8guard-" + ns }

// home is K8Guard's own namespace, with the permit and the Leases that are shipped: what
// acts for two ledgers on one Lease is refused by the gate.
func (h *house) home() {
	h.t.Helper()
	text := fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s}\n", homeOf(h.ns))
	for _, name := range []string{"rbac-discover", "rbac-action", "permit"} {
		shipped, err := os.ReadFile(filepath.Join("..", "..", "deploy", name+".yaml"))
		if err != nil {
			h.t.Fatal(err)
		}
		for one := range strings.SplitSeq(string(shipped), "\n---\n") {
			for _, kind := range []string{"Lease", "Role", "RoleBinding", "ConfigMap"} {
				if strings.Contains("\n"+one, "\nkind: "+kind+"\n") {
					text += "---\n" + strings.Replace(one+"\n", "\n  namespace: k8guard\n", "\n  namespace: "+homeOf(h.ns)+"\n", 1)
				}
			}
		}
	}
	h.apply(strings.ReplaceAll(text, "enforcement: disabled", "enforcement: enabled"))
}

func others() []string {
	all := []string{"kube-system", "default", "server-down", "restored-told"}
	for i := range stormOwners() {
		all = append(all, stormNamespace(i))
	}
	for _, s := range stories() {
		all = append(all, s.name)
	}
	return all
}

// rewrite changes the configuration before the next start.
func (h *house) rewrite(change func(*config.Config)) {
	h.t.Helper()
	if err := h.Rewrite(change); err != nil {
		h.t.Fatal(err)
	}
}

// start runs K8Guard and waits until it has audited the cluster.
func (h *house) start() {
	h.t.Helper()
	h.begin()
	if err := h.WaitReady(h.t.Context(), h.run); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) begin() {
	h.t.Helper()
	run, err := h.Run(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	h.run = run
}

func (h *house) end() {
	h.t.Helper()
	if err := h.run.Terminate(40 * time.Second); err != nil {
		h.t.Error(err)
	}
}

func (h *house) signal(s syscall.Signal) {
	h.t.Helper()
	if err := syscall.Kill(h.run.Pid(), s); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) namespace(name, owner string) {
	h.t.Helper()
	h.apply(fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, annotations: {team/email-ids: %s}}\n", name, owner))
}

func (h *house) apply(text string) {
	h.t.Helper()
	file := filepath.Join(h.dir, "apply.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	// Server-side: what is large does not fit into an annotation.
	h.kubectl("apply", "--server-side", "-f", file)
}

func (h *house) kubectl(args ...string) string {
	h.t.Helper()
	out, err := h.p.Cluster.Kubectl(h.t.Context(), args...)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// until polls, a fifth of the time at most; what it waits for is said when the time is over,
// with the end of the log.
func (h *house) until(limit time.Duration, what string, done func() bool) {
	h.t.Helper()
	limit *= slow
	ctx, cancel := context.WithTimeout(h.t.Context(), limit)
	defer cancel()
	for {
		from := time.Now()
		if done() {
			return
		}
		select {
		case <-ctx.Done():
			h.t.Fatalf("not within %s: %s; the end of the log:\n%s", limit, what, h.run.LogTail())
		case <-time.After(max(50*time.Millisecond, 4*time.Since(from))):
		}
	}
}

// rows are the cases of one object of ours, as K8Guard's API tells them.
func (h *house) rows(name string) []ledger.CaseRow {
	h.t.Helper()
	all, err := h.Cases(h.t.Context())
	for end := time.Now().Add(5 * time.Second); err != nil && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		all, err = h.Cases(h.t.Context()) // it may be between two configurations
	}
	return slices.DeleteFunc(all, func(r ledger.CaseRow) bool { return r.Root.Namespace != h.ns || r.Root.Name != name })
}

// planned waits until the plan of a case of the object holds the text, and returns it.
func (h *house) planned(limit time.Duration, name, text string) string {
	h.t.Helper()
	plan := ""
	h.until(limit, "the plan of "+name+" says "+text, func() bool {
		for _, r := range h.rows(name) {
			if plan = r.Case.Plan.Text; strings.Contains(plan, text) {
				return true
			}
		}
		return false
	})
	return plan
}
