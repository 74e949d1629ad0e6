package services

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
	"github.com/k8guard/k8guard/tools/stage"
)

// TestMemoryOfEachService lets so many roots violate as K8GUARD_ROOTS says, and logs what each
// service took once all are cases, by the kernel's word (VmHWM, VmRSS):
//
//	K8GUARD_ROOTS=2000 go test ./test/services -run TestMemory -v -timeout 30m
func TestMemoryOfEachService(t *testing.T) {
	if os.Getenv("K8GUARD_ROOTS") == "" {
		t.Skip("set K8GUARD_ROOTS=2000 to measure with so many roots: it takes minutes")
	}
	roots := int(number(t, "K8GUARD_ROOTS", 0))
	h := newHouse(t, servicestest.Start(t, services.Kafka), servicestest.Start(t, services.Cassandra), func(c *config.Config) { c.Enforce.Mode = config.ModeSafe })
	const each = 100
	for first := 0; first < roots; first += each {
		h.many(fmt.Sprintf("many-%d", first/each), min(each, roots-first))
	}
	all := map[string]*stage.Process{}
	for _, target := range []string{"discover", "action", "report"} {
		all[target] = h.start(target)
	}
	began := time.Now()
	h.until("all are cases", 20*time.Minute, func() bool { return h.known() >= roots })
	took := time.Since(began).Round(time.Second)
	time.Sleep(15 * time.Second) // some resyncs more
	for target, p := range all {
		used, err := p.Usage()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s", target, used)
		if err := p.Terminate(time.Minute); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d roots, each with a case, after %s", roots, took)
}

// many are workloads of one owner that violate.
func (h *house) many(namespace string, n int) {
	h.t.Helper()
	text := fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, annotations: {team/email-ids: %s@stage.example}}\n", namespace, namespace)
	for i := range n {
		text += fmt.Sprintf(deploymentYAML, namespace, i)
	}
	path := filepath.Join(h.t.TempDir(), "many.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	if err := h.Cluster.Apply(h.t.Context(), path); err != nil {
		h.t.Fatal(err)
	}
}

// known is how many cases the report counts.
func (h *house) known() int {
	var found struct{ Total int }
	if err := h.Get(h.t.Context(), "/api/v1/cases?limit=1", &found); err != nil {
		return 0
	}
	return found.Total
}
