package faults

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/k8guard/k8guard/internal/config"
)

const (
	resumedAtOnce = 50
	apart         = 100 * time.Millisecond
)

// idle is a privileged CronJob that comes due at New Year, and whose jobs run no pods.
func idle(ns, name string) string {
	return fmt.Sprintf(`---
apiVersion: batch/v1
kind: CronJob
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate:
    spec:
      parallelism: 0
      template:
        spec:
          restartPolicy: Never
          containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]
`, ns, name)
}

// undoSince: fifty CronJobs are suspended, and each misses a run. One command takes all of it
// back, one after the other: fifty missed runs do not start together, and it says what starts.
func undoSince(t *testing.T, p plane) {
	h := newHouse(t, p, "undo-since", func(c *config.Config) {
		b := &c.Enforce.Budget
		b.PerHour, b.PerDay, b.PerNamespace, b.PerOwner, b.PerRule = 100, 100, 100, 100, 100
	})
	text := ""
	for i := range resumedAtOnce {
		text += idle(h.ns, fmt.Sprintf("c%02d", i))
	}
	h.apply(text)
	h.start()
	h.until(60*time.Second, "all are acted on", func() bool { return len(h.acts()) == resumedAtOnce && h.acted50() })
	h.miss()
	out, err := h.Command(t.Context(), "undo", "--since", "1h", "-n", h.ns, "--every", apart.String(), "--reason", "a wrong rule")
	if err != nil {
		t.Fatal(out, err)
	}
	out, told, opened := strings.Cut(out, "the circuit breaker opened")
	if !opened || !strings.Contains(told, "k8guard breaker close") {
		t.Errorf("the command does not say that the breaker opened:\n%s%s", out, told)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, fmt.Sprintf("%d/%d ", i+1, resumedAtOnce))
	}
	slices.Sort(lines)
	if len(lines) != resumedAtOnce {
		t.Fatalf("%d lines:\n%s", len(lines), out)
	}
	h.golden("undo-since", "undo: "+lines[0], "undo: "+lines[resumedAtOnce-1])
	h.until(30*time.Second, "each missed run has started, once", func() bool {
		return len(strings.Fields(h.kubectl("-n", h.ns, "get", "jobs", "-o", "name"))) == resumedAtOnce
	})
	h.oneByOne()
	if _, err := h.Command(t.Context(), "undo", "--since", "1h", "-n", h.ns, "--reason", "again"); err != nil {
		t.Error(err)
	}
	if n := len(h.acts()); n != 2*resumedAtOnce {
		t.Errorf("%d writes, want one act and one undo of each", n)
	}
}

// acted50 reports whether the ledger has all acts on record, too.
func (h *house) acted50() bool {
	n := 0
	for i := range resumedAtOnce {
		if r := h.rows(fmt.Sprintf("c%02d", i)); len(r) == 1 && r[0].Status == "acted" {
			n++
		}
	}
	return n == resumedAtOnce
}

// miss makes each CronJob one whose last run is two years ago.
func (h *house) miss() {
	h.t.Helper()
	c, err := h.p.Cluster.RESTConfig()
	if err != nil {
		h.t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(c)
	if err != nil {
		h.t.Fatal(err)
	}
	long, err := json.Marshal(map[string]any{"status": map[string]any{"lastScheduleTime": metav1.NewTime(time.Now().AddDate(-2, 0, 0))}})
	if err != nil {
		h.t.Fatal(err)
	}
	for i := range resumedAtOnce {
		if _, err := client.BatchV1().CronJobs(h.ns).Patch(h.t.Context(), fmt.Sprintf("c%02d", i), types.MergePatchType, long, metav1.PatchOptions{}, "status"); err != nil {
			h.t.Fatal(err)
		}
	}
}

// oneByOne wants each CronJob suspended once and resumed once, the resumptions apart.
func (h *house) oneByOne() {
	h.t.Helper()
	done, _ := h.real()
	times := map[string]int{}
	for i, e := range done {
		times[e.ObjectRef.Name]++
		if i > resumedAtOnce && e.Received.Sub(done[i-1].Received) < apart {
			h.t.Errorf("%s is resumed %s after the one before", e.ObjectRef.Name, e.Received.Sub(done[i-1].Received))
		}
	}
	for name, n := range times {
		if n != 2 {
			h.t.Errorf("%s: %d writes", name, n)
		}
	}
}
