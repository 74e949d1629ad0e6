package services

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/stage"
)

// waves of violations in one portion of faults, each of perWave objects in a namespace of its own.
const waves, perWave = 8, 8

// quick is a ladder of seconds, and limits that do not bind.
func quick(c *config.Config, portions int) {
	for i := range waves * portions {
		c.Policies[0].Match.Namespaces = append(c.Policies[0].Match.Namespaces, team(i))
	}
	c.Notify.Gather, c.Notify.Gap = 500*time.Millisecond, 500*time.Millisecond
	for i := range c.Policies {
		c.Policies[i].Ladder = config.Ladder{Standing: time.Second, Warnings: 2, Wait: 2 * time.Second, LastWait: 2 * time.Second}
	}
	b := &c.Enforce.Budget
	b.Round, b.Percent, b.Floor = time.Second, 100, 1000
	b.PerHour, b.PerDay, b.PerNamespace, b.PerOwner, b.PerRule = 1000, 1000, 1000, 1000, 1000
	c.Enforce.Breaker.UndosPerHour = 1000
	c.Enforce.CoolOff = time.Hour
}

func team(wave int) string { return fmt.Sprintf("team-%d", wave) }

// violations are what K8Guard is to find, and what it did about them.
type violations struct {
	*house
	waves  int
	roots  map[string]string // by UID
	wrong  map[judge.Violation]string
	owners map[string][]string // by namespace
}

func newViolations(h *house) *violations {
	return &violations{house: h, roots: map[string]string{}, wrong: map[judge.Violation]string{}, owners: map[string][]string{}}
}

const deploymentYAML = `---
apiVersion: apps/v1
kind: Deployment
metadata: {name: bad-%[2]d, namespace: %[1]s}
spec:
  replicas: 2
  selector: {matchLabels: {app: bad-%[2]d}}
  template:
    metadata: {labels: {app: bad-%[2]d}}
    spec: {containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]}
`

const cronJobYAML = `---
apiVersion: batch/v1
kind: CronJob
metadata: {name: bad-%[2]d, namespace: %[1]s}
spec:
  schedule: "0 0 1 1 *"
  jobTemplate: {spec: {template: {spec: {restartPolicy: Never, containers: [{name: app, image: "registry.stage.example/app:1", securityContext: {privileged: true}}]}}}}
`

// wave is one more namespace with bad workloads.
func (v *violations) wave() {
	v.t.Helper()
	namespace := team(v.waves)
	v.waves++
	owner := namespace + "@stage.example"
	v.owners[namespace] = []string{owner}
	text := fmt.Sprintf("apiVersion: v1\nkind: Namespace\nmetadata: {name: %s, annotations: {team/email-ids: %s}}\n", namespace, owner)
	for i := range perWave {
		text += fmt.Sprintf([]string{deploymentYAML, cronJobYAML}[i%2], namespace, i)
	}
	path := filepath.Join(v.t.TempDir(), "wave.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		v.t.Fatal(err)
	}
	if err := v.Cluster.Apply(v.t.Context(), path); err != nil {
		v.t.Fatal(err)
	}
	for _, o := range v.objects(namespace) {
		name := strings.Join([]string{o.Kind, namespace, o.Metadata.Name}, "/")
		v.roots[o.Metadata.UID] = name
		v.wrong[judge.Violation{UID: o.Metadata.UID, Rule: "PRIVILEGED", Source: "app"}] = name
	}
}

type object struct {
	Kind     string
	Metadata struct{ Name, UID string }
	Spec     struct {
		Replicas *int
		Suspend  *bool
	}
}

// objects are what the API server has, by the administrator's eyes.
func (v *violations) objects(namespace string) []object {
	v.t.Helper()
	out, err := v.Cluster.Kubectl(v.t.Context(), "-n", namespace, "get", "deployments,cronjobs", "-o", "json")
	if err != nil {
		v.t.Fatal(err)
	}
	var list struct{ Items []object }
	if err := json.Unmarshal([]byte(out), &list); err != nil {
		v.t.Fatal(err)
	}
	return list.Items
}

func (v *violations) dump() (judge.Dump, error) {
	ctx, cancel := context.WithTimeout(v.t.Context(), 30*time.Second)
	defer cancel()
	c := v.Config.Ledger.Cassandra
	return judge.ReadCassandra(ctx, c.Hosts, c.Keyspace)
}

// settle waits until each was acted on or left to a person.
func (v *violations) settle(within time.Duration) {
	v.t.Helper()
	var last error
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(time.Second) {
		d, err := v.dump()
		if err == nil {
			_, _, err = judge.Outcome(v.roots, d)
		}
		if last = err; err == nil {
			return
		}
		if line := v.logged("the circuit breaker opened"); line != "" {
			v.t.Fatalf("nothing here may open the breaker: %s", line)
		}
	}
	log, _ := os.ReadFile(v.LogFile())
	v.t.Fatalf("not settled within %s: %v; the end of the log:\n%s", within, last, log[max(0, len(log)-6000):])
}

// judge asks all judges from outside; all of ours have ended.
func (v *violations) judge() {
	v.t.Helper()
	d, err := v.dump()
	if err != nil {
		v.t.Fatal(err)
	}
	events, err := audit.Read(v.Cluster.AuditLog())
	if err != nil {
		v.t.Fatal(err)
	}
	acted, human, err := judge.Outcome(v.roots, d)
	v.hold(err)
	v.hold(judge.Lost(v.wrong, d))
	v.hold(judge.Once(events, d, stage.ActionUser))
	v.hold(judge.Discover(events, stage.DiscoverUser))
	mails := v.Mail.Messages()
	v.hold(judge.Notices(mails, d, judge.Terms{Warnings: 2, Tries: 4, Owners: v.owners}))
	tally, err := judge.AuditBijection(events, d, stage.ActionUser)
	v.hold(err)
	if line := v.logged("the circuit breaker opened"); line != "" {
		v.t.Errorf("nothing here may open the breaker: %s", line)
	}
	states := map[string]int{}
	for _, n := range d.Notices {
		states[n.State]++
	}
	v.t.Logf("%d roots: %d acted on, %d left to a human; %d mails arrived, notices %v; audit log: %d acts, %d undos, %d fences, %d of unclear end, %d refused",
		len(v.roots), acted, human, len(mails), states, tally.Acts, tally.Undos, tally.Fences, len(tally.Unclear), len(tally.Refused))
	stopped := 0
	for namespace := range v.owners {
		for _, o := range v.objects(namespace) {
			if o.Spec.Replicas != nil && *o.Spec.Replicas == 0 || o.Spec.Suspend != nil && *o.Spec.Suspend {
				stopped++
			}
		}
	}
	if stopped != acted {
		v.t.Errorf("in the cluster %d objects are stopped, the ledger says %d", stopped, acted)
	}
	if acted*10 < len(v.roots)*8 {
		v.t.Errorf("only %d of %d were acted on, want eight in ten", acted, len(v.roots))
	}
}

// sending are the notices that the ledger calls under way.
func (v *violations) sending() (keys []string) {
	v.t.Helper()
	d, err := v.dump()
	if err != nil {
		v.t.Fatal(err)
	}
	for key, n := range d.Notices {
		if n.State == "sending" {
			keys = append(keys, key)
		}
	}
	return keys
}

// tells reports whether the ledger has a line of this kind.
func (v *violations) tells(kind string) bool {
	d, err := v.dump()
	return err == nil && slices.ContainsFunc(d.History, func(l judge.Line) bool { return l.Kind == kind })
}

// refused reports whether the API server refused a stop of a workload for its version, after a time.
func (v *violations) refused(after time.Time) bool {
	v.t.Helper()
	events, err := audit.Read(v.Cluster.AuditLog())
	if err != nil {
		v.t.Fatal(err)
	}
	return slices.ContainsFunc(audit.Writes(events, stage.ActionUser), func(e audit.Event) bool {
		return e.ResponseStatus.Code == http.StatusConflict && e.At.After(after) && e.ObjectRef.Resource != "leases"
	})
}

func (v *violations) hold(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Error(err)
	}
}
