package dashboards

// enforcement is what the gate does, and what holds it.
func enforcement() Board {
	return Board{UID: "k8guard-enforcement", Title: "K8Guard: enforcement", About: "What was done to objects, what the gate refused and why, and what budget is left.",
		Variables: []Variable{clusterVariable()},
		Rows: []Row{
			{"What holds it", []Panel{
				number("May act", "Clusters in which mode enforce is in force.", "short", `sum(max by (cluster) (k8guard_enforcement_mode{mode="enforce", cluster=~"$cluster"}))`),
				number("Breakers open", "A person closes one, with a reason.", "short", `sum(max by (cluster) (k8guard_breaker_open{cluster=~"$cluster"}))`),
				number("Frozen", "Clusters in which everything is frozen.", "short", `sum(max by (cluster) (k8guard_frozen{cluster=~"$cluster"}))`),
				number("Ledger doubted", "Clusters of which nobody is told until a person decides.", "short", `sum(max by (cluster) (k8guard_ledger_doubted{cluster=~"$cluster"}))`),
				number("Acts left this hour", "In the cluster that has least.", "short", `min(k8guard_budget_acts_left{cluster=~"$cluster", window="hour"})`),
				number("Acts left today", "In the cluster that has least.", "short", `min(k8guard_budget_acts_left{cluster=~"$cluster", window="day"})`),
			}},
			{"What was done", []Panel{
				{Title: "Enforcements, last day", About: "By kind and result.", Shape: Bars, Unit: "short", Width: 12, Queries: []Query{{Expr: `sum by (kind, result) (increase(k8guard_enforcements_total{cluster=~"$cluster"}[1d]))`, Acts: "in safe mode", Legend: "{{kind}} {{result}}"}}},
				{Title: "Refusals, last day", About: "By the gate's rule that said no; docs/gate.md explains each.", Shape: Bars, Unit: "short", Width: 12, Queries: []Query{{Expr: `sum by (reason) (increase(k8guard_refusals_total{cluster=~"$cluster"}[1d]))`, Acts: "in safe mode", Legend: "{{reason}}"}}},
				lines("Enforcements", "", "reqps", "{{cluster}} {{result}}", `sum by (cluster, result) (rate(k8guard_enforcements_total{cluster=~"$cluster"}[$__rate_interval]))`).acts(),
				lines("Undos", "Several within an hour open the breaker.", "reqps", "{{cluster}} {{result}}", `sum by (cluster, result) (rate(k8guard_undos_total{cluster=~"$cluster"}[$__rate_interval]))`).acts(),
				lines("Enforcements in the ledger", "", "short", "{{state}}", "max by (state) (k8guard_ledger_enforcements)"),
				lines("Acts that wait for the budget's round", "", "short", "{{cluster}}", `max by (cluster) (k8guard_budget_claims{cluster=~"$cluster"})`),
			}},
			{"The budget", []Panel{
				lines("Left", "", "short", "{{cluster}} {{window}}", `min by (cluster, window) (k8guard_budget_acts_left{cluster=~"$cluster"})`),
				lines("Allowed", "The number or the share of all roots, whichever is lower.", "short", "{{cluster}} {{window}}", `min by (cluster, window) (k8guard_budget_acts_allowed{cluster=~"$cluster"})`),
			}},
			{"What its account does", []Panel{
				lines("Writes to the API", "By action's account: the audit log must show the same.", "reqps", "{{verb}} {{kind}}", `sum by (verb, kind) (rate(k8guard_kubernetes_requests_total{account="action", verb!~"get|list|watch"}[$__rate_interval]))`).acts(),
				lines("Roots with a violation", "Of the newest inventory, as action has it.", "short", "{{cluster}}", `max by (cluster) (k8guard_inventory_violating_roots{cluster=~"$cluster"}) / max by (cluster) (k8guard_inventory_roots{cluster=~"$cluster"})`),
			}},
		}}
}

// KafkaOnly is why a panel is empty where everything is one process.
const KafkaOnly = "with Kafka alone"

// itself is how K8Guard is doing.
func itself() Board {
	return Board{UID: "k8guard-itself", Title: "K8Guard: itself", About: "How K8Guard is doing: is it up, does it keep up, what does it wait for.",
		Rows: []Row{
			{"Up", []Panel{
				number("Targets", "Processes that a scrape reaches.", "short", "count(k8guard_build_info)"),
				number("Versions", "More than one is an upgrade under way.", "short", "count(count by (version) (k8guard_build_info))"),
				number("Configuration refused", "Processes that run an older configuration than the newest.", "short", "sum(k8guard_config_reload_failed)"),
				number("Newest observation", "Time since it was made, as the ledger has it.", "s", "time() - max(k8guard_newest_observation_timestamp_seconds)"),
				number("Ledger answers", "0: the switches or the cases could not be read.", "short", "min(k8guard_switches_known) * min(k8guard_cases_known)"),
				number("Dead letters", "Messages that nobody could read.", "short", "sum(k8guard_bus_dead_letters_total)").rare(KafkaOnly),
			}},
			{"Does it keep up", []Panel{
				lines("Dockets that are due", "What the ladder has not come to.", "short", "{{instance}}", "k8guard_dockets_due"),
				lines("Open dockets", "By the process that looks after them.", "short", "{{instance}}", "k8guard_dockets"),
				lines("A round of the ladder", "99 of 100 took less.", "s", "{{instance}}", quantile("0.99", "k8guard_round_duration_seconds", "", "instance")),
				lines("Messages in process", "Between discover and action, without Kafka.", "short", "{{instance}}", "k8guard_bus_queue_messages"),
				lines("Lag", "Age of the oldest message in hand, by replica.", "s", "{{instance}}", "k8guard_bus_lag_seconds").rare(KafkaOnly),
				lines("Messages behind", "", "short", "{{instance}}", "k8guard_bus_lag_messages").rare(KafkaOnly),
				lines("Partitions", "They add up to all of the topic's.", "short", "{{instance}}", "k8guard_bus_partitions").rare(KafkaOnly),
				lines("Not taken by Kafka yet", "", "short", "{{instance}}", "k8guard_bus_buffered_messages").rare(KafkaOnly),
			}},
			{"What it waits for", []Panel{
				lines("The ledger", "99 of 100 calls took less.", "s", "{{operation}}", quantile("0.99", "k8guard_ledger_duration_seconds", "", "operation")),
				lines("Calls of the ledger that failed", "A conflict is no failure: another was first.", "reqps", "{{operation}}", `sum by (operation) (rate(k8guard_ledger_duration_seconds_count{result="error"}[$__rate_interval]))`).rare("none failed"),
				lines("The Kubernetes API", "99 of 100 requests were answered sooner.", "s", "{{account}} {{verb}}", quantile("0.99", "k8guard_kubernetes_request_duration_seconds", "", "account, verb")),
				lines("What the API refused", "", "reqps", "{{account}} {{code}}", `sum by (account, code) (rate(k8guard_kubernetes_requests_total{code!="2xx"}[$__rate_interval]))`).rare("nothing was refused"),
				lines("Channels", "99 of 100 tries took less.", "s", "{{channel}}", quantile("0.99", "k8guard_notice_duration_seconds", "", "channel")).rare("nobody was told lately"),
				lines("Outboxes that hold something", "", "short", "{{instance}}", "k8guard_outboxes"),
				lines("Hits of the caches", "Of all questions.", "percentunit", "{{use}}", "sum by (use) (rate(k8guard_cache_hits_total[$__rate_interval])) / (sum by (use) (rate(k8guard_cache_hits_total[$__rate_interval])) + sum by (use) (rate(k8guard_cache_misses_total[$__rate_interval])))").rare("nobody asked a cache lately"),
				lines("Caches that do not answer", "Each costs time, and nothing else.", "reqps", "{{use}}", "sum by (use) (rate(k8guard_cache_errors_total[$__rate_interval]))"),
			}},
			{"What it takes", []Panel{
				lines("Memory", "", "bytes", "{{instance}}", "process_resident_memory_bytes and on (instance) k8guard_build_info"),
				lines("Processors", "", "short", "{{instance}}", "rate(process_cpu_seconds_total[$__rate_interval]) and on (instance) k8guard_build_info"),
				lines("Goroutines", "", "short", "{{instance}}", "go_goroutines and on (instance) k8guard_build_info"),
				lines("The dearest rules", "Seconds of each second.", "percentunit", "{{rule}}", "topk(5, sum by (rule) (rate(k8guard_rule_duration_seconds_sum[$__rate_interval])))"),
			}},
		}}
}
