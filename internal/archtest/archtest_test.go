package archtest

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

func TestWallsStand(t *testing.T) {
	packages, err := Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(packages) < 10 {
		t.Fatalf("only %d packages were listed", len(packages))
	}
	for _, hole := range Check(packages, Walls()) {
		t.Error(hole)
	}
}

// TestCheck breaks each wall, and sees that it is noticed.
func TestCheck(t *testing.T) {
	const m = "github.com/k8guard/k8guard/"
	pkg := func(path string, imports ...string) Package { return Package{Path: m + path, Imports: imports} }
	call := func(p Package, from, name string) Package {
		p.Calls = append(p.Calls, Call{From: from, Name: name, At: "x.go:1"})
		return p
	}
	lease := func(file string, names ...string) Package {
		p := pkg("internal/cluster", "k8s.io/client-go/kubernetes")
		for _, n := range names {
			p.Calls = append(p.Calls, Call{Name: n, At: file + ":1"})
		}
		return p
	}
	for name, c := range map[string]struct {
		packages []Package
		holes    int
	}{
		"discover to action":          {[]Package{pkg("internal/discover", m+"internal/action")}, 1},
		"action to discover between":  {[]Package{pkg("internal/action", m+"internal/x"), pkg("internal/x", m+"internal/discover/y")}, 1},
		"both on the bus":             {[]Package{pkg("internal/discover", m+"internal/bus"), pkg("internal/action", m+"internal/bus")}, 0},
		"a name that only begins so":  {[]Package{pkg("internal/discover", m+"internal/actions")}, 0},
		"report to enforce":           {[]Package{pkg("internal/report", m+"internal/enforce")}, 1},
		"report to cluster":           {[]Package{pkg("internal/report/pages", m+"internal/cluster")}, 1},
		"rule to client-go":           {[]Package{pkg("internal/rule/image", "k8s.io/client-go/kubernetes")}, 1},
		"docket to client-go between": {[]Package{pkg("internal/docket", m+"internal/y"), pkg("internal/y", "k8s.io/client-go/rest")}, 1},
		"rule to api types":           {[]Package{pkg("internal/rule", "k8s.io/api/core/v1")}, 0},
		"policy to os":                {[]Package{pkg("internal/policy", "os")}, 1},
		"policy to net/http":          {[]Package{pkg("internal/policy", "net/http")}, 1},
		"ruletest holds a client":     {[]Package{pkg("internal/rule/ruletest", "k8s.io/client-go/kubernetes")}, 1},
		"ruletest decodes":            {[]Package{pkg("internal/rule/ruletest", "k8s.io/client-go/kubernetes/scheme")}, 0},
		"rule to a scheme":            {[]Package{pkg("internal/rule", "k8s.io/client-go/kubernetes/scheme")}, 1},
		"scan to a client between":    {[]Package{pkg("internal/scan", m+"internal/y"), pkg("internal/y", "k8s.io/client-go/rest")}, 1},
		"the product needs a harness": {[]Package{pkg("internal/app", m+"internal/ledger/ledgertest")}, 1},
		"config imports ours":         {[]Package{pkg("internal/config", m+"internal/entity")}, 1},
		"ruletest reads files":        {[]Package{pkg("internal/rule/ruletest", "os")}, 0},
		"docket to math/rand/v2":      {[]Package{pkg("internal/docket", "math/rand/v2")}, 1},
		"report chooses a ledger":     {[]Package{pkg("internal/report", m+"internal/ledger/sqlite")}, 1},
		"app chooses a ledger":        {[]Package{pkg("internal/app", m+"internal/ledger/sqlite", m+"internal/bus/memory")}, 0},
		"a lease elsewhere":           {[]Package{pkg("internal/action", "k8s.io/client-go/tools/leaderelection")}, 1},
		"the wire imports ours":       {[]Package{pkg("api/v1", m+"internal/docket")}, 1},
		"the product needs a tool":    {[]Package{pkg("cmd/k8guard", m+"tools/cluster")}, 1},
		"a template":                  {[]Package{pkg("internal/notify/email", "text/template")}, 1},
		"the clock in policy":         {[]Package{call(pkg("internal/policy", "time"), "time", "Now")}, 1},
		"a time in policy":            {[]Package{call(pkg("internal/policy", "time"), "time", "Unix")}, 0},
		"the clock in action":         {[]Package{call(pkg("internal/action", "time"), "time", "Now")}, 0},
		"a patch in cluster":          {[]Package{call(pkg("internal/cluster", "k8s.io/client-go/dynamic"), "", "Patch")}, 1},
		"os.Create in cluster":        {[]Package{call(pkg("internal/cluster", "k8s.io/client-go/dynamic"), "os", "Create")}, 0},
		"a patch in enforce":          {[]Package{call(pkg("internal/enforce/scale", "k8s.io/client-go/kubernetes"), "", "Patch")}, 0},
		"the Lease is renewed":        {[]Package{lease("lease.go", "CoordinationV1", "Update")}, 0},
		"the Lease is deleted":        {[]Package{lease("lease.go", "CoordinationV1", "Delete")}, 1},
		"a Lease in another file":     {[]Package{lease("watch.go", "CoordinationV1", "Update")}, 1},
		"a pod beside the Lease":      {[]Package{lease("lease.go", "CoreV1", "Update")}, 1},
		"a delete without a client":   {[]Package{call(pkg("internal/action"), "", "Delete")}, 0},
	} {
		if got := Check(c.packages, Walls()); len(got) != c.holes {
			t.Errorf("%s: %d holes, want %d: %v", name, len(got), c.holes, got)
		}
	}
}

func TestParse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a.go")
	src := "package a\n\nimport clock \"time\"\n\nvar now = clock.Now\n\nfunc f(c x) { c.Pods().Delete() }\n"
	if err := os.WriteFile(file, []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := parse(file)
	want := []Call{{"time", "Now", "a.go:5"}, {"", "Delete", "a.go:7"}, {"", "Pods", "a.go:7"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
}
