package archtest

const (
	module   = "github.com/k8guard/k8guard/"
	internal = module + "internal/"
)

// Wall forbids packages below In (but for Except) to import anything below Forbidden (but
// for Allowed).
type Wall struct {
	In, Except, Forbidden, Allowed []string
	// Reach also forbids it through packages of ours in between.
	Reach  bool
	Reason string
}

// Walls is the table. A path covers itself and what lies below it.
func Walls() []Wall {
	pure, harnesses := ours("rule", "docket", "policy"), ours("rule/ruletest", "bus/bustest", "ledger/ledgertest", "cache/cachetest", "notify/notifytest")
	client, scheme := []string{"k8s.io/client-go"}, []string{"k8s.io/client-go/kubernetes/scheme"}
	return []Wall{
		{In: ours("discover"), Forbidden: ours("action"), Reach: true, Reason: "discover and action meet only on the bus"},
		{In: ours("action"), Forbidden: ours("discover"), Reach: true, Reason: "discover and action meet only on the bus"},
		{In: ours("report"), Forbidden: ours("action", "enforce", "cluster", "discover"), Reach: true, Reason: "action and report meet only at the ledger"},
		{In: ours("rule", "docket", "policy", "report", "login"), Except: ours("rule/ruletest"), Forbidden: client, Reach: true, Reason: "what judges and what reports holds no Kubernetes client"},
		{In: ours("rule/ruletest", "manifest", "scan"), Forbidden: client, Allowed: scheme, Reach: true, Reason: "who reads manifests needs the types, not a client"},
		{In: []string{module}, Except: harnesses, Forbidden: harnesses, Reason: "only tests need a test's harness"},
		{In: pure, Except: ours("rule/ruletest"), Forbidden: []string{"os", "net", "io/ioutil", "syscall", "database/sql", "log/slog"}, Reason: "rule, docket and policy do no input or output"},
		{In: pure, Forbidden: []string{"math/rand", "crypto/rand"}, Reason: "a verdict is the same for the same input"},
		{In: []string{module}, Except: ours("app", "bus/memory", "bus/kafka", "ledger/sqlite", "ledger/cassandra", "cache/memory", "cache/memcached"), Forbidden: ours("bus/memory", "bus/kafka", "ledger/sqlite", "ledger/cassandra", "cache/memory", "cache/memcached"), Reason: "only app chooses a bus, a ledger and a cache"},
		{In: []string{module}, Except: ours("cluster", "app"), Forbidden: []string{"k8s.io/client-go/tools/leaderelection"}, Reason: "the leader Lease is written in one place"},
		{In: append(ours("entity", "config"), module+"api"), Forbidden: []string{module}, Reason: "leaves import nothing of ours"},
		{In: []string{module}, Forbidden: []string{module + "tools", module + "test"}, Reason: "the product does not need its tools"},
		{In: []string{module}, Forbidden: []string{"html/template", "text/template"}, Reason: "reflection in templates keeps every method in the binary; use templ"},
	}
}

func ours(names ...string) (paths []string) {
	for _, n := range names {
		paths = append(paths, internal+n)
	}
	return paths
}
