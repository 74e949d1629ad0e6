package e2e

import (
	"context"
	"strings"
	"time"

	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/stage"
)

// evidence is what the judges look at.
type evidence struct {
	events []audit.Event
	dump   judge.Dump
}

// gather reads the evidence once the audit log has all that action's account did: an
// event of that account, made for it now, is in the log.
func (s *scene) gather() evidence {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	before := time.Now()
	account := s.dir + "/k8guard-action.kubeconfig"
	if _, err := s.Cluster.Kubectl(ctx, "--kubeconfig="+account, "auth", "whoami"); err != nil {
		s.t.Fatal(err)
	}
	events, err := audit.Wait(ctx, s.Cluster.AuditLog(), func(all []audit.Event) bool {
		for _, e := range audit.Writes(all, stage.ActionUser) {
			if e.ObjectRef.Resource == "selfsubjectreviews" && strings.HasPrefix(e.UserAgent, "kubectl") && e.At.After(before) {
				return true
			}
		}
		return false
	})
	if err != nil {
		s.t.Fatal(err)
	}
	dump, err := judge.ReadLedger(ctx, s.LedgerFile())
	if err != nil {
		s.t.Fatal(err)
	}
	return evidence{events, dump}
}

// verdict asks every judge, and returns how many roots were acted on and left to a human.
func (s *scene) verdict() (acted, human int) {
	s.t.Helper()
	e := s.gather()
	acted, human, err := judge.Outcome(s.roots, e.dump)
	s.hold(err)
	s.hold(judge.Lost(s.violations, e.dump))
	s.hold(judge.Once(e.events, e.dump, stage.ActionUser))
	s.hold(judge.Discover(e.events, stage.DiscoverUser))
	mails := s.Mail.Messages()
	s.hold(judge.Notices(mails, e.dump, judge.Terms{Warnings: warnings, Tries: warnings + 2, Owners: s.owners}))
	tally, err := judge.AuditBijection(e.events, e.dump, stage.ActionUser)
	s.hold(err)
	states := map[string]int{}
	for _, n := range e.dump.Notices {
		states[n.State]++
	}
	s.t.Logf("%d roots: %d acted on, %d left to a human; %d mails arrived, notices %v", len(s.roots), acted, human, len(mails), states)
	s.t.Logf("audit log: %d acts, %d undos, %d fences, %d of unclear end, %d refused", tally.Acts, tally.Undos, tally.Fences, len(tally.Unclear), len(tally.Refused))
	for _, text := range append(tally.Unclear, tally.Refused...) {
		s.t.Log("  without success: ", text)
	}
	return acted, human
}

func (s *scene) hold(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Error(err)
	}
}

// stopped counts, in the cluster itself, what no longer runs: workloads at zero, jobs
// suspended, and ingresses that are gone.
func (s *scene) stopped() int {
	s.t.Helper()
	there := map[string]bool{}
	for namespace := range s.owners {
		for _, o := range s.objects(namespace) {
			if !o.stopped() {
				there[o.Metadata.UID] = true
			}
		}
	}
	n := 0
	for uid := range s.roots {
		if !there[uid] {
			n++
		}
	}
	return n
}
