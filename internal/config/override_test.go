package config_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

func TestLaterSourcesWin(t *testing.T) {
	const file = "log: {level: debug, format: json}\nenforce: {mode: dry-run}\ndiscover: {ignoreNamespaces: [a]}\n"
	got, _, err := config.LoadBytes([]byte(file), config.Source{
		Env: []string{
			"K8GUARD__LOG__LEVEL=warn", "K8GUARD__ENFORCE__MODE=safe", "PATH=/bin", "K8GUARD_CONFIG=ignored", "K8GUARD__",
			"K8GUARD__NOTIFY__EMAIL__PASSWORD=a=b", "K8GUARD__RULES__IMAGE_REPO__APPROVED=a.example, b.example,",
			"K8GUARD__ENFORCE__BUDGET__PERHOUR=7", "K8GUARD__ENFORCE__BUDGET__PERCENT=2.5", "K8GUARD__DISCOVER__IGNORENAMESPACES=",
		},
		Set: []string{"log.level=error", "enforce.budget.perHour=9", "discover.resync=2m", "cluster.name=a=b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	want.Log = config.Log{Level: "error", Format: "json"}
	want.Notify.Email.Password = config.NewSecret("a=b")
	want.Rules.ImageRepo.Approved = []string{"a.example", "b.example"}
	want.Enforce.Budget.PerHour, want.Enforce.Budget.Percent = 9, 2.5
	want.Discover = config.Discover{Resync: 2 * time.Minute, IgnoreNamespaces: []string{}}
	want.Cluster.Name = "a=b"
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestWrongOverrides(t *testing.T) {
	for line, want := range map[string]string{
		"K8GUARD__LOG__LVEL=x":                      "environment variable K8GUARD__LOG__LVEL: log.LVEL: there is no such key; did you mean level?",
		"K8GUARD__LOG__LEVEL__DEEP=x":               "environment variable K8GUARD__LOG__LEVEL__DEEP: log.level.DEEP: there is nothing below log.level; set log.level itself",
		"K8GUARD__LOG__LEVEL=loud":                  "environment variable K8GUARD__LOG__LEVEL: log.level: is not known; write one of debug, info, warn, error",
		"K8GUARD__ENFORCE=on":                       "environment variable K8GUARD__ENFORCE: enforce: is a group of keys; set one of mode, minimumAge, coolOff, budget, breaker, protect, permit",
		"K8GUARD__POLICIES=a":                       "environment variable K8GUARD__POLICIES: policies: is a list of groups, which one line cannot say; write it in the file",
		"K8GUARD__NOTIFY__EMAIL__PORT=hunter2":      "environment variable K8GUARD__NOTIFY__EMAIL__PORT: notify.email.port: cannot be read; write a whole number",
		"K8GUARD__NOTIFY__EMAIL__PASSWORD=***":      "environment variable K8GUARD__NOTIFY__EMAIL__PASSWORD: notify.email.password: is the mask of a printed configuration, not a value; write the real one, or name a file that holds it",
		"discover.resync=soon":                      "--set: discover.resync: cannot be read; write a duration such as 90s, 5m or 24h",
		"enforce.budget.percent=NaN":                "--set: enforce.budget.percent: cannot be read; write a number",
		"enforce.budget.perHour":                    "--set: enforce.budget.perHour: has no value; write --set key=value",
		"policies[0].name=a":                        "--set: policies[0]: there is no such key; did you mean policies?",
		"enforce.protect.workloads=shop/a,checkout": "--set: enforce.protect.workloads[1]: is not namespace/name; write for example shop/checkout",
	} {
		s := config.Source{Set: []string{line}}
		if strings.HasPrefix(line, config.Prefix) {
			s = config.Source{Env: []string{line}}
		}
		if _, _, err := config.LoadBytes(nil, s); err == nil || err.Error() != want {
			t.Errorf("%s:\ngot  %v\nwant %s", line, err, want)
		}
	}
}
