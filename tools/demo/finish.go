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
func look(ctx context.Context, s site, root string) (b before, there bool, err error) {
	parts := strings.Split(root, "/")
	out, err := s.Cluster.Kubectl(ctx, "get", parts[0], "-n", parts[1], parts[2], "-o", "json", "--ignore-not-found")
	if err != nil || strings.TrimSpace(out) == "" {
		return b, false, err
	}
	return b, true, json.Unmarshal([]byte(out), &b)
}

func (d *demo) remember(ctx context.Context, s site, roots []string) error {
	for _, root := range roots {
		b, there, err := look(ctx, s, root)
		if err != nil || !there {
			return fmt.Errorf("%s is not there after kubectl apply: %w", root, err)
		}
		d.shown[s.name+" "+root] = b
	}
	return nil
}

// finish undoes, compares with the expectations, lets the judges speak, and gives the
// verdict.
func (d *demo) finish(ctx context.Context, expect expectation) error {
	var wrong []string
	for _, s := range d.sites {
		wrong = append(wrong, acted(ctx, s, expect)...)
	}
	wrong = append(wrong, d.undo(ctx, expect.Undo)...)
	wrong = append(wrong, d.toldOfUndo(ctx, expect)...)
	// Once more around: nothing else may happen now.
	time.Sleep(3 * time.Second)
	rows, err := d.stage.Cases(ctx)
	if err != nil {
		return err
	}
	wrong = append(wrong, expect.compare(rows, d.mailbox())...)
	wrong = append(wrong, d.agree(ctx)...)
	if err := d.end(); err != nil {
		wrong = append(wrong, err.Error())
	}
	wrong = append(wrong, d.judges(ctx, expect)...)
	if len(wrong) > 0 {
		return errors.New("the demo did not come to what examples/demo-expect.yaml says:\n  " + strings.Join(wrong, "\n  "))
	}
	d.say("VERDICT: all %d violations found, nothing good accused; %d warnings before each act and one mail after; undo gave back what was there, and each owner knows",
		len(expect.Cases), expect.Warnings)
	return nil
}

// agree waits until every other report says the same: each follows within seconds.
func (d *demo) agree(ctx context.Context) (wrong []string) {
	for _, other := range d.others {
		for end := time.Now().Add(15 * time.Second); ; time.Sleep(200 * time.Millisecond) {
			here, err := d.stage.Cases(ctx)
			there, otherErr := other.Cases(ctx)
			if err = errors.Join(err, otherErr); err == nil && summary(here) == summary(there) {
				break
			}
			if time.Now().After(end) || ctx.Err() != nil {
				wrong = append(wrong, fmt.Sprintf("another report does not say the same: %v\n%s\n%s", err, summary(here), summary(there)))
				break
			}
		}
	}
	return wrong
}

// undo takes acts back, and compares. As services, K8Guard answers that the order is on
// record, and carries it out afterwards.
func (d *demo) undo(ctx context.Context, roots []string) (wrong []string) {
	for _, s := range d.sites {
		for _, root := range roots {
			out, err := d.stage.Command(ctx, "undo", d.caseOf(ctx, s, root), "--reason", "the demo shows it", "--by", "demo")
			d.say("   undo    %s", strings.TrimSpace(out))
			if err != nil {
				wrong = append(wrong, err.Error())
			}
		}
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		var not []string
		for _, s := range d.sites {
			for _, root := range roots {
				not = append(not, d.restored(ctx, s, root)...)
			}
		}
		if len(not) == 0 || time.Now().After(end) || ctx.Err() != nil {
			return append(wrong, not...)
		}
	}
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
func acted(ctx context.Context, s site, expect expectation) []string {
	var wrong []string
	for _, c := range expect.Cases {
		if c.Status != "acted" || c.Cluster != s.name {
			continue
		}
		b, there, err := look(ctx, s, c.Root)
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
		b, there, err := look(ctx, s, root)
		if err != nil || !there || b.Spec["replicas"] == float64(0) || b.Spec["suspend"] == true {
			wrong = append(wrong, fmt.Sprintf("%s was good, and is not as it was: %v", root, err))
		}
	}
	return wrong
}

// restored compares an object with what it was, apart from K8Guard's own annotation.
func (d *demo) restored(ctx context.Context, s site, root string) []string {
	now, there, err := look(ctx, s, root)
	if err != nil || !there {
		return []string{fmt.Sprintf("%s of %s is not back: %v", root, s.name, err)}
	}
	delete(now.Metadata.Annotations, "k8guard.io/enforcement")
	// The controller counts roll-outs of a deployment here once it has seen it.
	delete(now.Metadata.Annotations, "deployment.kubernetes.io/revision")
	was := d.shown[s.name+" "+root]
	delete(was.Metadata.Annotations, "deployment.kubernetes.io/revision")
	was.Metadata.UID, now.Metadata.UID = "", ""
	if !reflect.DeepEqual(was, now) {
		return []string{fmt.Sprintf("%s of %s is not what it was: %+v, now %+v", root, s.name, was, now)}
	}
	return nil
}

// judges read the audit log, the mails and the ledger, none of which K8Guard can alter
// afterwards.
func (d *demo) judges(ctx context.Context, expect expectation) []string {
	dump, err := d.home.dump(ctx)
	if err != nil {
		return []string{err.Error()}
	}
	errs := []error{judge.Notices(d.stage.Mail.Messages(), dump, judge.Terms{Warnings: expect.Warnings, Tries: expect.Warnings + 2,
		Owners: map[string][]string{"shop": {"shop-team@demo.example"}, "payments": {"payments@demo.example"}, "orphans": {"platform@demo.example"},
			"kube-system": {"platform@demo.example"}, "legacy": {"legacy@demo.example"}}})}
	for _, s := range d.sites {
		errs = append(errs, d.audited(ctx, s, dump))
	}
	var wrong []string
	for _, err := range errs {
		if err != nil {
			wrong = append(wrong, err.Error())
		}
	}
	return wrong
}

// audited holds one cluster's audit log against its part of the ledger.
func (d *demo) audited(ctx context.Context, s site, dump judge.Dump) error {
	uid, err := s.Cluster.Kubectl(ctx, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}")
	if err != nil {
		return err
	}
	events, err := audit.Read(s.Cluster.AuditLog())
	if err != nil {
		return err
	}
	part := dump.Of(strings.TrimSpace(uid))
	tally, err := judge.AuditBijection(events, part, stage.ActionUser)
	if err == nil {
		d.say("   audit   %s: %d acts, %d undos, %d fences in the API server's log, each on record; %d refused",
			s.name, tally.Acts, tally.Undos, tally.Fences, len(tally.Refused))
	}
	return errors.Join(err, judge.Once(events, part, stage.ActionUser), judge.Discover(events, stage.DiscoverUser))
}
