package scan

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/manifest"
	"github.com/k8guard/k8guard/internal/rule"
)

var update = flag.Bool("update", false, "write the golden files anew") //nolint:gochecknoglobals // as go test wants it

// bad finds every container named bad, says unknown of a name that holds a "?", and looks up
// the namespace.
func bad(t *testing.T) *rule.Engine {
	t.Helper()
	engine, err := rule.NewEngine(rule.Rule{
		Meta: rule.Meta{ID: "BAD", Title: "A title", Why: "A reason.", Remedy: "A remedy.", Severity: rule.High, Kinds: entity.Workloads()},
		Check: func(e entity.Entity, around rule.Related) (r rule.Result) {
			for _, c := range e.Pod.Containers {
				if c.Name == "bad" {
					r.Violations = append(r.Violations, v1.Violation{Source: c.Name, Message: "is bad", Evidence: c.Image})
				}
			}
			if strings.Contains(e.Name, "?") {
				r.Unknown = "the name hides it"
			}
			if _, known := around.List(entity.Ingress, e.Namespace); !known && strings.Contains(e.Name, "needs-ingress") {
				r.Unknown = "ingresses could not be read"
			}
			return r
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return engine
}

func hostile(t *testing.T) Report {
	t.Helper()
	in := "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a]]>\\e[31m<b>\", namespace: shop}\nspec: {containers: [{name: bad, image: \"x\\u202e\"}]}\n" +
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: 'a?'}\nspec: {containers: [{name: c, image: x}]}\n" +
		"---\napiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec: {containers: [{name: c, image: x}]}\n"
	set, err := manifest.Read([]string{"-"}, false, strings.NewReader(in))
	if err != nil {
		t.Fatal(err)
	}
	return Judge(bad(t), set, errors.New("a.yaml:1: broken\x1b"))
}

func TestGoldenFormats(t *testing.T) {
	r := hostile(t)
	for file, print := range map[string]func(*bytes.Buffer) error{
		"report.sarif": func(b *bytes.Buffer) error { return r.PrintSARIF(b, bad(t).Rules(), "v1.2.3") },
		"report.xml":   func(b *bytes.Buffer) error { return r.PrintJUnit(b) },
	} {
		var b bytes.Buffer
		if err := print(&b); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile("testdata/"+file, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile("testdata/" + file)
		if err != nil || b.String() != string(want) {
			t.Errorf("%s differs (%v); go test ./internal/scan -update writes it:\n%s", file, err, b.String())
		}
		if strings.ContainsAny(b.String(), "\x1b\u202e") {
			t.Errorf("%s: a control character got out", file)
		}
	}
}

func FuzzFormats(f *testing.F) {
	f.Add("a]]>", "\x00<", "http://[::1")
	f.Fuzz(func(t *testing.T, name, message, file string) {
		one := Finding{File: file, Line: 1, Kind: "Pod", Name: name}
		r := Report{Errors: []string{message}, objects: []object{{file: one.at(), name: one.object()}}}
		r.add(one, v1.Verdict{Rule: "BAD", State: v1.Violated, Violations: []v1.Violation{{Message: message}}})
		var sarif, junit bytes.Buffer
		if err := errors.Join(r.PrintSARIF(&sarif, nil, ""), r.PrintJUnit(&junit)); err != nil {
			t.Fatal(err)
		}
		var log sarifLog
		if err := json.Unmarshal(sarif.Bytes(), &log); err != nil || len(log.Runs[0].Results) != 1 {
			t.Fatalf("%v: %s", err, sarif.String())
		}
		var suites junitSuites
		if err := xml.Unmarshal(junit.Bytes(), &suites); err != nil || len(suites.Suite.Cases) != 2 || suites.Suite.Failures != 1 {
			t.Fatalf("%v: %s", err, junit.String())
		}
	})
}

// A pod is judged with its workload: what both show is told once, a sidecar of the pod alone
// is told too, and what ran to its end or is ignored is not.
func TestJudgeLive(t *testing.T) {
	yes := true
	object := func(kind entity.Kind, name, owner string, containers ...string) entity.Entity {
		e := entity.Entity{Kind: kind, Namespace: "shop", Name: name, UID: name, Pod: &corev1.PodSpec{}}
		if owner != "" {
			kind := map[string]string{"cart": "Deployment", "cart-1": "ReplicaSet"}[owner]
			e.Owners = []metav1.OwnerReference{{Kind: kind, Name: owner, UID: types.UID(owner), Controller: &yes}}
		}
		for _, c := range containers {
			e.Pod.Containers = append(e.Pod.Containers, corev1.Container{Name: c})
		}
		return e
	}
	over := object(entity.Pod, "over", "", "bad")
	over.Completed = true
	elsewhere := object(entity.Pod, "elsewhere", "", "bad")
	elsewhere.Namespace = "kube-system"
	liar := object(entity.Pod, "liar", "cart-1", "bad")
	liar.Namespace = "other" // claims an owner that lives in another namespace: it stands alone
	r := JudgeLive(bad(t), Live{
		Entities: []entity.Entity{object(entity.Deployment, "cart", "", "c", "bad"), object(entity.ReplicaSet, "cart-1", "cart", "bad"),
			object(entity.Pod, "cart-1-x", "cart-1", "bad"), object(entity.Pod, "cart-1-y", "cart-1", "bad"),
			object(entity.Pod, "needs-ingress", "", "c"), over, elsewhere, liar},
		Unread:  map[entity.Kind]error{entity.Ingress: errors.New("may not list ingresses")},
		Ignored: []string{"kube-system"},
	})
	if r.Summary != (Summary{Objects: 3, Violations: 2, Unknown: 1, Errors: 1}) {
		t.Errorf("%+v %+v", r.Summary, r.Findings)
	}
	if f := r.Findings[0]; f.object() != "Deployment shop/cart" || f.place() != "Deployment/shop/cart" || f.at() != "" || f.Verdict.Violations[0].From != v1.FromTemplate {
		t.Errorf("%+v", f)
	}
}
