package dashboards

// Alert is one alerting rule, with the story by which promtool tests it.
type Alert struct {
	Name, Expr, For, Severity, Summary string
	Test                               Story
}

// Story is what a scrape shows, minute by minute in promtool's notation, and what follows:
// nothing at Quiet, the alert with these labels at At.
type Story struct {
	Series    map[string]string
	Quiet, At string
	Labels    map[string]string
}

// Record is one recording rule.
type Record struct{ Name, Expr string }

// The severities of alerts: who is woken, who looks today, who looks when there is time.
const (
	critical = "critical"
	warning  = "warning"
	info     = "info"
)

// RunbookURL begins the address of every runbook; the alert's name in lower case follows.
const RunbookURL = "https://github.com/k8guard/k8guard/blob/main/docs/operators/runbooks.md#"

// Records are the recording rules: what dashboards and people ask again and again.
func Records() []Record {
	return []Record{
		{"cluster:k8guard_violations:sum", "sum by (cluster) (k8guard_violations)"},
		{"cluster_severity:k8guard_violations:sum", "sum by (cluster, severity) (k8guard_violations)"},
		{"rule:k8guard_violations:sum", "sum by (rule) (k8guard_violations)"},
		{"channel_result:k8guard_notices:rate15m", "sum by (channel, result) (rate(k8guard_notices_total[15m]))"},
		{"operation:k8guard_ledger_duration_seconds:p99_5m", "histogram_quantile(0.99, sum by (operation, le) (rate(k8guard_ledger_duration_seconds_bucket[5m])))"},
		{"account_verb:k8guard_kubernetes_request_duration_seconds:p99_5m", "histogram_quantile(0.99, sum by (account, verb, le) (rate(k8guard_kubernetes_request_duration_seconds_bucket[5m])))"},
	}
}

// Alerts are the alerting rules. Each has a section in docs/operators/runbooks.md.
func Alerts() []Alert {
	all := append(auditAlerts(), gateAlerts()...)
	all = append(all, noticeAlerts()...)
	return append(all, ownAlerts()...)
}

func auditAlerts() []Alert {
	return []Alert{
		{"K8GuardDown", `up{job=~".*k8guard.*"} == 0`, "5m", critical, "A K8Guard does not answer its scrapes.",
			Story{map[string]string{`up{job="k8guard", instance="a"}`: "1x3 0x10"}, "8m", "10m", map[string]string{"job": "k8guard", "instance": "a"}}},
		{"K8GuardAbsent", "absent(k8guard_build_info)", "10m", critical, "Prometheus knows of no K8Guard at all.",
			Story{map[string]string{`k8guard_build_info{version="v1"}`: "1x3 stale"}, "10m", "20m", nil}},
		{"K8GuardAuditNotWhole", "min by (cluster) (k8guard_audit_whole) == 0", "15m", warning, "Not everything in a cluster is read: what is wrong there may not be seen, and nothing is done.",
			Story{map[string]string{`k8guard_audit_whole{cluster="east"}`: "1 0x20"}, "10m", "17m", map[string]string{"cluster": "east"}}},
		{"K8GuardWatchStale", "max by (cluster, kind) (k8guard_watch_age_seconds) > 300", "5m", warning, "A watch has been silent for five minutes; bookmarks come about once a minute.",
			Story{map[string]string{`k8guard_watch_age_seconds{cluster="east", kind="Pod"}`: "0+60x20"}, "9m", "12m", map[string]string{"cluster": "east", "kind": "Pod"}}},
		{"K8GuardInventoryOld", "min by (cluster) (k8guard_inventory_age_seconds) > 900", "5m", warning, "Action has had no inventory of a cluster for 15 minutes: no discover leads there, or the bus does not bring it.",
			Story{map[string]string{`k8guard_inventory_age_seconds{cluster="east"}`: "0+60x30"}, "18m", "22m", map[string]string{"cluster": "east"}}},
	}
}

func gateAlerts() []Alert {
	return []Alert{
		{"K8GuardBreakerOpen", "max by (cluster) (k8guard_breaker_open) == 1", "1m", warning, "The circuit breaker of a cluster is open: nothing is done there until a person closes it, with a reason.",
			Story{map[string]string{`k8guard_breaker_open{cluster="east"}`: "0 0 1x10"}, "1m", "4m", map[string]string{"cluster": "east"}}},
		{"K8GuardFrozen", "max by (cluster) (k8guard_frozen) == 1", "24h", info, "Enforcement in a cluster has been frozen for a day. Is that still meant?",
			Story{map[string]string{`k8guard_frozen{cluster="east"}`: "1x2000"}, "23h", "25h", map[string]string{"cluster": "east"}}},
		{"K8GuardLedgerDoubted", "max by (cluster) (k8guard_ledger_doubted) == 1", "5m", critical, "The ledger may not be the one that a cluster saw last: nobody is told and nothing is done until a person decides.",
			Story{map[string]string{`k8guard_ledger_doubted{cluster="east"}`: "0 1x10"}, "4m", "7m", map[string]string{"cluster": "east"}}},
		{"K8GuardBudgetSpent", `max by (cluster) (k8guard_budget_acts_left{window="hour"}) == 0 and max by (cluster) (k8guard_budget_claims) > 0`, "15m", info, "The budget of an hour is spent, and more asks for it.",
			Story{map[string]string{`k8guard_budget_acts_left{cluster="east", window="hour"}`: "0x30", `k8guard_budget_claims{cluster="east"}`: "3x30"}, "10m", "16m", map[string]string{"cluster": "east"}}},
		{"K8GuardOverBudget", `sum by (cluster) (increase(k8guard_refusals_total{reason="over-budget-none"}[1h])) > 0`, "", warning, "More became due at once than the budget allows, so none of it was done: a rule, an image or a policy may have changed for all.",
			Story{map[string]string{`k8guard_refusals_total{cluster="east", kind="Deployment", reason="over-budget-none"}`: "0x9 7x20"}, "5m", "12m", map[string]string{"cluster": "east"}}},
		{"K8GuardUndos", `sum by (cluster) (increase(k8guard_undos_total{result="done"}[1h])) > 1.5`, "", warning, "People take back what K8Guard did, more than once within an hour.",
			Story{map[string]string{`k8guard_undos_total{cluster="east", kind="Deployment", result="done"}`: "0x9 2x20"}, "5m", "12m", map[string]string{"cluster": "east"}}},
		{"K8GuardOutcomeUnclear", `sum by (cluster, kind) (increase(k8guard_enforcements_total{result="unclear"}[1h])) > 0`, "", warning, "The outcome of an act is unclear: a person looks at the object.",
			Story{map[string]string{`k8guard_enforcements_total{cluster="east", kind="Job", result="unclear"}`: "0x9 1x20"}, "5m", "12m", map[string]string{"cluster": "east", "kind": "Job"}}},
	}
}

func noticeAlerts() []Alert {
	return []Alert{
		{"K8GuardNobodyIsTold", `sum by (channel) (rate(k8guard_notices_total{result=~"retried|failed"}[15m])) > 0 and sum by (channel) (rate(k8guard_notices_total{result="sent"}[15m])) == 0`, "15m", critical,
			"A channel takes no notice: nobody is warned, so nothing is acted on.",
			Story{map[string]string{`k8guard_notices_total{channel="email", result="retried"}`: "0x5 0+3x60", `k8guard_notices_total{channel="email", result="failed"}`: "0x65", `k8guard_notices_total{channel="email", result="sent"}`: "4x65"}, "12m", "30m", map[string]string{"channel": "email"}}},
		{"K8GuardNoticeGivenUp", `sum by (channel) (increase(k8guard_notices_total{result="failed"}[1h])) > 0`, "", warning, "A notice was given up after many tries: its owner does not know.",
			Story{map[string]string{`k8guard_notices_total{channel="email", result="failed"}`: "0x9 1x20"}, "5m", "12m", map[string]string{"channel": "email"}}},
		{"K8GuardNeedsHuman", `max(k8guard_cases{status="needs-human"}) > 0`, "4h", info, "Cases wait for a person.",
			Story{map[string]string{`k8guard_cases{status="needs-human"}`: "2x300"}, "3h", "4h30m", nil}},
	}
}

func ownAlerts() []Alert {
	return []Alert{
		{"K8GuardLedgerUnreadable", "min by (instance) (k8guard_switches_known) == 0 or min by (instance) (k8guard_cases_known) == 0", "5m", critical, "The ledger does not answer: nobody is told and nothing is done.",
			Story{map[string]string{`k8guard_switches_known{instance="a"}`: "1 0x15", `k8guard_cases_known{instance="a"}`: "1x15"}, "4m", "7m", map[string]string{"instance": "a"}}},
		{"K8GuardLedgerErrors", `sum by (operation) (rate(k8guard_ledger_duration_seconds_count{result="error"}[5m])) > 0`, "10m", warning, "Calls of the ledger fail.",
			Story{map[string]string{`k8guard_ledger_duration_seconds_count{operation="store", result="error"}`: "0x5 0+1x40"}, "10m", "20m", map[string]string{"operation": "store"}}},
		{"K8GuardLedgerSlow", "operation:k8guard_ledger_duration_seconds:p99_5m > 1", "15m", warning, "One of a hundred calls of the ledger takes more than a second.",
			Story{map[string]string{`k8guard_ledger_duration_seconds_bucket{operation="load", result="ok", le="1"}`: "0x60", `k8guard_ledger_duration_seconds_bucket{operation="load", result="ok", le="3"}`: "0+9x60",
				`k8guard_ledger_duration_seconds_bucket{operation="load", result="ok", le="+Inf"}`: "0+9x60"}, "10m", "25m", map[string]string{"operation": "load"}}},
		{"K8GuardLadderBehind", "sum(k8guard_dockets_due) > 1000", "15m", warning, "More than a thousand dockets are due, and the ladder does not come to them.",
			Story{map[string]string{`k8guard_dockets_due{instance="a"}`: "800x40", `k8guard_dockets_due{instance="b"}`: "800x40"}, "10m", "16m", nil}},
		{"K8GuardBusLag", "max by (instance) (k8guard_bus_lag_seconds) > 600", "10m", warning, "The oldest message in hand is older than ten minutes.",
			Story{map[string]string{`k8guard_bus_lag_seconds{instance="a"}`: "0+60x40"}, "15m", "22m", map[string]string{"instance": "a"}}},
		{"K8GuardDeadLetters", "sum(increase(k8guard_bus_dead_letters_total[1h])) > 0", "", warning, "Messages came that nobody could read.",
			Story{map[string]string{`k8guard_bus_dead_letters_total{instance="a"}`: "0x9 2x20"}, "5m", "12m", nil}},
		{"K8GuardAPIRefuses", `sum by (account, code) (rate(k8guard_kubernetes_requests_total{code=~"403|429|5xx|error"}[10m])) > 0.1`, "15m", warning, "The Kubernetes API refuses or fails what an account asks, again and again.",
			Story{map[string]string{`k8guard_kubernetes_requests_total{account="discover", verb="list", kind="Pod", code="403"}`: "0+30x60"}, "10m", "20m", map[string]string{"account": "discover", "code": "403"}}},
		{"K8GuardConfigRefused", "max by (instance) (k8guard_config_reload_failed) == 1", "5m", warning, "The newest configuration was not taken over; an older one is in force.",
			Story{map[string]string{`k8guard_config_reload_failed{instance="a"}`: "0 1x10"}, "4m", "7m", map[string]string{"instance": "a"}}},
	}
}
