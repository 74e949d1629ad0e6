package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/stage"
)

// before is what an object was before K8Guard came, as far as an undo must give it back.
type before struct {
	Spec     map[string]any `json:"spec"`
	Metadata struct {
		UID         string            `json:"uid"`
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
	} `json:"metadata"`
}

// look reads one object, "Kind/namespace/name"; absent is false.
func (d *demo) look(ctx context.Context, root string) (b before, there bool, err error) {
	parts := strings.Split(root, "/")
	out, err := d.stage.Cluster.Kubectl(ctx, "get", parts[0], "-n", parts[1], parts[2], "-o", "json", "--ignore-not-found")
	if err != nil || strings.TrimSpace(out) == "" {
		return b, false, err
	}
	return b, true, json.Unmarshal([]byte(out), &b)
}

func (d *demo) remember(ctx context.Context, roots []string) error {
	for _, root := range roots {
		b, there, err := d.look(ctx, root)
		if err != nil || !there {
			return fmt.Errorf("%s is not there after kubectl apply: %w", root, err)
		}
		d.shown[root] = b
	}
	return nil
}

// finish undoes, compares with the expectations, lets the judges speak, and gives the
// verdict.
func (d *demo) finish(ctx context.Context, expect expectation, p *stage.Process) error {
	var wrong []string
	wrong = append(wrong, d.acted(ctx, expect)...)
	for _, root := range expect.Undo {
		out, err := d.stage.Command(ctx, "undo", d.caseOf(ctx, root), "--reason", "the demo shows it", "--by", "demo")
		d.say("   undo    %s", strings.TrimSpace(out))
		if err != nil {
			wrong = append(wrong, err.Error())
			continue
		}
		wrong = append(wrong, d.restored(ctx, root)...)
	}
	wrong = append(wrong, d.toldOfUndo(ctx, expect)...)
	// Once more around: nothing else may happen now.
	time.Sleep(3 * time.Second)
	rows, err := d.stage.Cases(ctx)
	if err != nil {
		return err
	}
	wrong = append(wrong, expect.compare(rows, d.mailbox())...)
	if err := p.Terminate(15 * time.Second); err != nil {
		wrong = append(wrong, err.Error())
	}
	wrong = append(wrong, d.judges(ctx, expect)...)
	if len(wrong) > 0 {
		return errors.New("the demo did not come to what examples/demo-expect.yaml says:\n  " + strings.Join(wrong, "\n  "))
	}
	d.say("VERDICT: all %d bad workloads found, no good one; %d warnings before each act and one mail after; undo gave back what was there, and each owner knows",
		len(expect.Cases), expect.Warnings)
	return nil
}

// toldOfUndo waits until the owners were told of each undo.
func (d *demo) toldOfUndo(ctx context.Context, expect expectation) []string {
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		mails := d.mailbox()
		want, got := expect.undone(mails)
		if got == want || time.Now().After(end) || ctx.Err() != nil {
			d.tellMails(mails)
			if got != want {
				return []string{fmt.Sprintf("mails say that %d cases are undone, want %d", got, want)}
			}
			return nil
		}
	}
}

// acted looks at the cluster itself: what was announced is gone, what is good runs on.
func (d *demo) acted(ctx context.Context, expect expectation) []string {
	var wrong []string
	for _, c := range expect.Cases {
		if c.Status != "acted" {
			continue
		}
		b, there, err := d.look(ctx, c.Root)
		isIngress := strings.HasPrefix(c.Root, "Ingress/")
		switch {
		case err != nil:
			wrong = append(wrong, err.Error())
		case isIngress && there:
			wrong = append(wrong, c.Root+" is still there")
		case !isIngress && b.Spec["replicas"] != float64(0) && b.Spec["suspend"] != true:
			wrong = append(wrong, fmt.Sprintf("%s has %v replicas, not 0, and suspend is %v", c.Root, b.Spec["replicas"], b.Spec["suspend"]))
		}
	}
	for _, root := range expect.Untouched {
		b, there, err := d.look(ctx, root)
		if err != nil || !there || b.Spec["replicas"] == float64(0) || b.Spec["suspend"] == true {
			wrong = append(wrong, fmt.Sprintf("%s was good, and is not as it was: %v", root, err))
		}
	}
	return wrong
}

// restored compares an object with what it was, apart from K8Guard's own annotation.
func (d *demo) restored(ctx context.Context, root string) []string {
	now, there, err := d.look(ctx, root)
	if err != nil || !there {
		return []string{fmt.Sprintf("%s is not back: %v", root, err)}
	}
	delete(now.Metadata.Annotations, "k8guard.io/enforcement")
	// The controller counts roll-outs of a deployment here once it has seen it.
	delete(now.Metadata.Annotations, "deployment.kubernetes.io/revision")
	was := d.shown[root]
	delete(was.Metadata.Annotations, "deployment.kubernetes.io/revision")
	was.Metadata.UID, now.Metadata.UID = "", ""
	if !reflect.DeepEqual(was, now) {
		return []string{fmt.Sprintf("%s is back, but not the same: %+v, now %+v", root, was, now)}
	}
	return nil
}

// judges read the audit log, the mails and the ledger, none of which K8Guard can alter
// afterwards.
func (d *demo) judges(ctx context.Context, expect expectation) []string {
	var wrong []string
	note := func(err error) {
		if err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	events, err := audit.Read(d.stage.Cluster.AuditLog())
	if err != nil {
		return []string{err.Error()}
	}
	dump, err := judge.ReadLedger(ctx, d.stage.LedgerFile())
	if err != nil {
		return []string{err.Error()}
	}
	tally, err := judge.AuditBijection(events, dump, stage.ActionUser)
	note(err)
	note(judge.Once(events, dump, stage.ActionUser))
	note(judge.Discover(events, stage.DiscoverUser))
	note(judge.Notices(d.stage.Mail.Messages(), dump, judge.Terms{Warnings: expect.Warnings, Tries: expect.Warnings + 2,
		Owners: map[string][]string{"shop": {"shop-team@demo.example"}, "payments": {"payments@demo.example"}, "orphans": {"platform@demo.example"},
			"kube-system": {"platform@demo.example"}, "legacy": {"legacy@demo.example"}}}))
	if err == nil {
		d.say("   audit   %d acts, %d undos, %d fences in the API server's log, each on record; %d refused", tally.Acts, tally.Undos, tally.Fences, len(tally.Refused))
	}
	return wrong
}
