// Package services runs the whole story over the three services: two replicas of discover,
// three of action and one report, joined by a real Kafka and a real Cassandra.
//
// Purpose: what one process does, many do together: each owner is told once, each root is
// acted on once, whoever dies meanwhile.
//
// Concurrency: each test has servers and a stage of its own.
//
// Guarantees: judged by the API server's audit log and the mails alone.
//
// It will not: run under -short, or where Java or Maven is missing.
package services

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/report"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
	"github.com/k8guard/k8guard/tools/stage"
	"github.com/k8guard/k8guard/tools/stage/stagetest"
)

const warnings = 3

// house is the stage with its services.
type house struct {
	*stage.Stage
	t *testing.T
}

func newHouse(t *testing.T, kafka, cassandra *services.Service, change func(*config.Config)) *house {
	t.Helper()
	return &house{stagetest.New(t, stage.Options{Enforce: []string{"shop"}, Progress: os.Stderr, Change: func(c *config.Config) {
		c.Bus = config.Bus{Kind: config.BusKafka, Kafka: c.Bus.Kafka}
		c.Bus.Kafka.Brokers, c.Bus.Kafka.Partitions, c.Bus.Kafka.Replication = kafka.Addresses(), 6, 1
		c.Ledger.Kind = config.LedgerCassandra
		c.Ledger.Cassandra.Hosts, c.Ledger.Cassandra.LocalDC, c.Ledger.Cassandra.Replication = cassandra.Addresses(), "datacenter1", 1
		c.Discover.Resync = 5 * time.Second
		change(c)
	}}), t}
}

// start runs one more replica of a target.
func (h *house) start(target string) *stage.Process {
	h.t.Helper()
	var env []string
	if target != "report" { // the stage asks the report
		env = []string{"K8GUARD__REPORT__LISTEN=127.0.0.1:0"}
	}
	p, err := h.Target(target, env...)
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// until waits for something, and fails with the end of the log.
func (h *house) until(what string, within time.Duration, done func() bool) {
	h.t.Helper()
	for end := time.Now().Add(within); !done(); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(h.LogFile())
			h.t.Fatalf("not within %s: %s; the log ends:\n%s", within, what, log[max(0, len(log)-6000):])
		}
	}
}

// away ends the servers as a power cut does, back starts them again.
func (h *house) away(servers ...*services.Service) {
	h.t.Helper()
	for _, s := range servers {
		if err := s.Kill(0); err != nil {
			h.t.Fatalf("kill %s: %v", s.Kind(), err)
		}
	}
}

func (h *house) back(servers ...*services.Service) {
	h.t.Helper()
	for _, s := range servers {
		if err := s.Restart(h.t.Context(), 0); err != nil {
			h.t.Fatalf("restart %s: %v", s.Kind(), err)
		}
	}
}

// logs counts the lines of the product's log with this text.
func (h *house) logs(text string) int {
	h.t.Helper()
	log, err := os.ReadFile(h.LogFile())
	if err != nil {
		h.t.Fatal(err)
	}
	return strings.Count(string(log), text)
}

// logged is the first line of the product's log with this text.
func (h *house) logged(text string) string {
	h.t.Helper()
	log, err := os.ReadFile(h.LogFile())
	if err != nil {
		h.t.Fatal(err)
	}
	before, after, found := strings.Cut(string(log), text)
	if !found {
		return ""
	}
	line, _, _ := strings.Cut(after, "\n")
	return before[strings.LastIndexByte(before, '\n')+1:] + text + line
}

// serves reports whether a report answers.
func (h *house) serves() bool {
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
	defer cancel()
	_, err := h.Cases(ctx)
	return err == nil
}

// statuses counts the cases of the report.
func (h *house) statuses() map[string]int {
	ctx, cancel := context.WithTimeout(h.t.Context(), 5*time.Second)
	defer cancel()
	all := map[string]int{}
	rows, err := h.Cases(ctx, ledger.StatusStanding, ledger.StatusOpen, ledger.StatusActed, ledger.StatusNeedsHuman, ledger.StatusContested, ledger.StatusResolved)
	if err != nil {
		return all
	}
	for _, r := range rows {
		all[r.Status]++
	}
	return all
}

func (h *house) bad(n int) string {
	text := "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, annotations: {team/email-ids: shop@stage.example}}\n"
	for i := range n {
		text += fmt.Sprintf(`---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad-%[1]d, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: bad-%[1]d}}
  template:
    metadata: {labels: {app: bad-%[1]d}}
    spec: {containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]}
`, i)
	}
	path := filepath.Join(h.t.TempDir(), "bad.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// scaled lists what action's account has scaled to zero, by the audit log.
func (h *house) scaled() []string {
	h.t.Helper()
	events, err := audit.Read(h.Cluster.AuditLog())
	if err != nil {
		h.t.Fatal(err)
	}
	var all []string
	for _, e := range audit.Writes(events, stage.ActionUser) {
		dry := strings.Contains(e.RequestURI, "dryRun")
		if e.ObjectRef.Subresource == "scale" && !dry && e.Verb == "patch" && e.ResponseStatus.Code < 300 {
			all = append(all, e.ObjectRef.Name)
		}
	}
	slices.Sort(all)
	return all
}

func TestTheStoryOverServices(t *testing.T) {
	kafka, cassandra := servicestest.Start(t, services.Kafka), servicestest.Start(t, services.Cassandra)
	h := newHouse(t, kafka, cassandra, func(*config.Config) {})
	const bad = 4
	if err := h.Cluster.Apply(t.Context(), h.bad(bad)); err != nil {
		t.Fatal(err)
	}
	h.away(kafka, cassandra)
	for range 2 {
		h.start("discover")
	}
	actions := []*stage.Process{h.start("action"), h.start("action"), h.start("action")}
	h.start("report")
	h.until("each says whom it waits for", time.Minute, func() bool {
		return h.logs("trying again\" server=Kafka") >= 2 && h.logs("trying again\" server=Cassandra") >= 4
	})
	h.back(cassandra)
	h.until("the report serves, without Kafka", 2*time.Minute, h.serves)
	for _, order := range []string{"freeze", "unfreeze"} {
		if out, err := h.Command(t.Context(), order, "cluster/stage", "--reason", "a report needs no Kafka", "--by", "test"); err != nil {
			t.Errorf("%s while Kafka is away: %s %v", order, out, err)
		}
	}
	h.back(kafka)
	h.until("all cases are known", 3*time.Minute, func() bool { return h.statuses()["open"]+h.statuses()["acted"] >= bad })
	// One replica dies between two warnings: the others take its buckets.
	actions[0].Kill9()
	h.start("action")
	h.until("all are acted on", 3*time.Minute, func() bool { return h.statuses()["acted"] == bad })

	var want []string
	for i := range bad {
		want = append(want, fmt.Sprintf("bad-%d", i))
	}
	if got := h.scaled(); !slices.Equal(got, want) {
		t.Errorf("scaled to zero %v, want each of %v once", got, want)
	}
	h.warned(want)
	// Who has the cluster's own bucket looks at it; that was the killed replica, perhaps.
	h.until("the report knows of the cluster", time.Minute, func() bool {
		var status report.Status
		if err := h.Get(t.Context(), "/api/v1/status", &status); err != nil {
			t.Fatal(err)
		}
		all := status.Clusters
		return len(all) == 1 && all[0].Name == "stage" && all[0].Judged >= bad && all[0].Violating >= bad && all[0].Stale == "" && !status.Stale
	})
	rows, err := h.Cases(t.Context(), ledger.StatusActed)
	if err != nil {
		t.Fatal(err)
	}
	out, err := h.Command(t.Context(), "undo", rows[0].ID, "--reason", "the test shows it", "--by", "test")
	t.Logf("undo: %s %v", out, err)
	h.until("the undo is carried out", time.Minute, func() bool {
		text, err := h.Cluster.Kubectl(t.Context(), "-n", "shop", "get", "deployment", rows[0].Root.Name, "-o", "jsonpath={.spec.replicas}")
		return err == nil && strings.TrimSpace(text) == "2"
	})
}

// warned holds the mails against the ladder: of each object as many warnings as it has, in digests.
func (h *house) warned(names []string) {
	h.t.Helper()
	mails, of := 0, map[string]int{}
	for _, m := range h.Mail.Messages() {
		if !strings.Contains(m.Subject, "warning") {
			continue
		}
		mails++
		for _, name := range names {
			if strings.Contains(m.Text, name) {
				of[name]++
			}
		}
	}
	for _, name := range names {
		// One that was under way in the killed replica is of unknown fate, and replaced by one more.
		if n := of[name]; n < warnings || n > warnings+1 {
			h.t.Errorf("%d warnings of %s, want %d, or one more", n, name, warnings)
		}
	}
	// What becomes known late, for its replica died, is told in a digest of its own.
	if mails >= len(names)*warnings {
		h.t.Errorf("%d mails for %d warnings: none is a digest", mails, len(names)*warnings)
	}
}
