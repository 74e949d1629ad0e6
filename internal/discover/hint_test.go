package discover

import (
	"fmt"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes/fake"

	"github.com/k8guard/k8guard/internal/bus"
	"github.com/k8guard/k8guard/internal/entity"
)

// A hint has what is wrong said again, of the root; it says nothing of what is clean, is not
// there, is another cluster's or is not judged.
func TestAHintIsAnotherLookAndNoMore(t *testing.T) {
	hints := make(chan bus.Hint)
	clean := single("clean", 2)
	ignored := single("ignored-bad", 2)
	ignored.Namespace = "ignored"
	ignored.Spec.Template.Spec = spec("bad/x:1")
	client := fake.NewClientset(append(firstWorld(), clean, ignored, namespaceNamed("ignored"))...)
	_, r := run(t, client, nil, func(s *Settings) { s.Hints, s.Resync = hints, time.Hour })
	uid := func(kind, name string) string {
		o, told := r.of(kind, name)
		if !told {
			return ""
		}
		return o.Root.UID
	}
	eventually(t, "what is wrong is told", 5*time.Second, func() bool {
		return uid("Deployment", "bad-web") != "" && uid("CronJob", "bad-cron") != "" && uid("Namespace", "bad") != "" && uid("Pod", "bare") != ""
	})
	eventually(t, "everything is read", 30*time.Second, func() bool { kinds, _, _ := r.inventory(); return len(kinds) == len(entity.Kinds()) })
	quiet := r.count()
	for _, h := range []bus.Hint{
		{Kind: "deployment", Namespace: "shop", Name: "clean"}, {Kind: "deployment", Namespace: "shop", Name: "no-such"},
		{Cluster: "other", Kind: "ingress", Namespace: "shop", Name: "bad-in"}, {Kind: "ingress", Namespace: "other", Name: "bad-in"},
		{Kind: "job", Namespace: "shop", Name: "bad-in"}, {Kind: "secret", Namespace: "shop", Name: "bad-in"}, // nobody else asks for bad-in
		{Kind: "deployment", Namespace: "ignored", Name: "ignored-bad"},
	} {
		hints <- h
	}
	for _, c := range []struct {
		kind, name string
		hint       bus.Hint
	}{
		{"Deployment", "bad-web", bus.Hint{Cluster: "test", Kind: "deployment", Namespace: "shop", Name: "bad-web"}},
		{"CronJob", "bad-cron", bus.Hint{Kind: "cronjob", Namespace: "shop", Name: "bad-cron"}},
		{"Namespace", "bad", bus.Hint{Kind: "namespace", Namespace: "bad", Name: "bad"}},
		{"Pod", "bare", bus.Hint{Kind: "pod", Namespace: "shop", Name: "bare"}},
		{"Deployment", "bad-web", bus.Hint{Namespace: "shop", Name: "bad-web"}},
	} {
		before := r.published(uid(c.kind, c.name))
		hints <- c.hint
		eventually(t, c.kind+" "+c.name+" is said again", 5*time.Second, func() bool { return r.published(uid(c.kind, c.name)) == before+1 })
	}
	if n := r.count() - quiet; n != 5 { // the worker took the hints in order: none of the first is still to come
		t.Errorf("%d observations after five hints that were worth one", n)
	}
}

// A pod's hint is about its root.
func TestAHintOfAPodIsOfItsRoot(t *testing.T) {
	hints := make(chan bus.Hint)
	_, r := run(t, fake.NewClientset(firstWorld()...), nil, func(s *Settings) { s.Hints = hints })
	eventually(t, "the StatefulSet is told of", 5*time.Second, func() bool { _, told := r.of("StatefulSet", "db"); return told })
	eventually(t, "everything is read", 5*time.Second, func() bool { kinds, _, _ := r.inventory(); return len(kinds) == len(entity.Kinds()) })
	before := r.published("shop-db")
	hints <- bus.Hint{Kind: "pod", Namespace: "shop", Name: "db-0"}
	eventually(t, "it is said again", 5*time.Second, func() bool { return r.published("shop-db") == before+1 })
	if _, told := r.of("Pod", "db-0"); told {
		t.Error("the pod is called a root")
	}
}

// count counts the observations.
func (r *recorder) count() (n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.all {
		if m.Observation != nil {
			n++
		}
	}
	return n
}

// However many hints come, they wait for one look, and no more of them are in hand than may be.
func TestAFloodOfHintsIsOneLook(t *testing.T) {
	flood := make(chan bus.Hint)
	gather := hints{from: flood}
	n := 0
	for ; gather.more() != nil; n++ {
		gather.add(bus.Hint{Kind: "pod", Namespace: "shop", Name: fmt.Sprint("pod-", n%10)})
	}
	due := gather.due
	gather.add(bus.Hint{Kind: "namespace", Namespace: "other", Name: "shop"})
	if gather.due != due {
		t.Error("a later hint puts the look off")
	}
	wanted := gather.take()
	if n != hintsAtOnce || len(wanted) != 2 || len(wanted[entity.Pod]) != 10 || !wanted[entity.Namespace][spot{"shop", "shop"}] {
		t.Errorf("after %d hints, wanted is %v", n, wanted)
	}
	if gather.more() == nil || gather.due != nil || len(gather.take()) != 0 {
		t.Error("after the look nothing is heard any more, or something is still due")
	}
}
