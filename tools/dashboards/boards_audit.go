package dashboards

func clusterVariable() Variable {
	return Variable{Name: "cluster", Label: "cluster", Query: "label_values(k8guard_roots, cluster)"}
}

// fleet is every cluster at a glance.
func fleet() Board {
	return Board{UID: "k8guard-fleet", Title: "K8Guard: fleet", About: "All clusters at a glance: is everything read, what is wrong, what follows.",
		Rows: []Row{
			{"At a glance", []Panel{
				number("Clusters", "Clusters whose discover leads and answers.", "short", "count(count by (cluster) (k8guard_roots))"),
				number("Not whole", "Clusters of which not everything is read: what is wrong there may not be seen.", "short", "count(min by (cluster) (k8guard_audit_whole) == 0) or vector(0)"),
				number("Roots", "Live roots under audit.", "short", "sum(k8guard_roots)"),
				number("Violations", "What rules find wrong now.", "short", "sum(k8guard_violations)"),
				number("Needs a human", "Cases that only a person can carry on.", "short", `max(k8guard_cases{status="needs-human"})`),
				number("Acted, and standing", "Enforcements that were not undone.", "short", `max(k8guard_ledger_enforcements{state="done"})`),
			}},
			{"What is wrong", []Panel{
				lines("Violations by severity", "", "short", "{{severity}}", "sum by (severity) (k8guard_violations)"),
				lines("Violations by cluster", "", "short", "{{cluster}}", "sum by (cluster) (k8guard_violations)"),
				bars("The ten rules that find most", "", "{{rule}}", "topk(10, sum by (rule) (k8guard_violations))"),
				lines("Violations for each root", "By which clusters compare, whatever their size.", "short", "{{cluster}}", "sum by (cluster) (k8guard_violations) / sum by (cluster) (k8guard_roots)"),
			}},
			{"What follows", []Panel{
				bars("Cases by status", "Of all clusters; every report over one ledger tells the same.", "{{status}}", "max by (status) (k8guard_cases)"),
				lines("Unresolved cases by rule", "", "short", "{{rule}}", "max by (rule) (k8guard_unresolved_cases) > 0"),
				lines("Notices", "Tries to tell an owner, by channel and result.", "reqps", "{{channel}} {{result}}", "sum by (channel, result) (rate(k8guard_notices_total[$__rate_interval]))"),
				lines("Enforcements and refusals", "What the gate let through, and what it refused.", "reqps", "{{result}}", "sum by (result) (rate(k8guard_enforcements_total[$__rate_interval]))").acts(),
			}},
			{"What holds it", []Panel{
				{Title: "Mode", About: "What K8Guard may do in each cluster.", Shape: Table, Unit: "short", Width: 8, Queries: []Query{{Expr: "max by (cluster, mode) (k8guard_enforcement_mode) == 1"}}},
				{Title: "Breakers", About: "1: open; a person closes it, with a reason.", Shape: Table, Unit: "short", Width: 8, Queries: []Query{{Expr: "max by (cluster) (k8guard_breaker_open)"}}},
				{Title: "Freezes", About: "How many stand, by what they freeze.", Shape: Table, Unit: "short", Width: 8, Queries: []Query{{Expr: "max by (scope) (k8guard_freezes)"}}},
			}},
		}}
}

// oneCluster is the audit of one cluster.
func oneCluster() Board {
	return Board{UID: "k8guard-cluster", Title: "K8Guard: one cluster", About: "The audit of one cluster: what is read, how fresh it is, what is wrong.",
		Variables: []Variable{clusterVariable()},
		Rows: []Row{
			{"The audit", []Panel{
				number("Whole", "1 while every kind is read completely and no watch is silent.", "short", `min(k8guard_audit_whole{cluster=~"$cluster"})`),
				number("Oldest watch", "Time since the most silent watch showed life.", "s", `max(k8guard_watch_age_seconds{cluster=~"$cluster"})`),
				number("Last inventory", "Time since action had the newest one.", "s", `min(k8guard_inventory_age_seconds{cluster=~"$cluster"})`),
				number("Objects", "Objects that are read.", "short", `sum(k8guard_objects{cluster=~"$cluster"})`),
				number("Roots", "Live roots.", "short", `sum(k8guard_roots{cluster=~"$cluster"})`),
				number("Violations", "", "short", `sum(k8guard_violations{cluster=~"$cluster"})`),
				lines("Age of each watch", "Bookmarks come about once a minute.", "s", "{{kind}}", `max by (kind) (k8guard_watch_age_seconds{cluster=~"$cluster"})`),
				lines("Kinds that are not read completely", "", "short", "{{kind}}", `min by (kind) (k8guard_watch_complete{cluster=~"$cluster"}) == 0`).rare("every kind is read"),
			}},
			{"What is wrong", []Panel{
				lines("Violations by kind", "", "short", "{{kind}}", `sum by (kind) (k8guard_violations{cluster=~"$cluster"})`),
				lines("Violations by severity", "", "short", "{{severity}}", `sum by (severity) (k8guard_violations{cluster=~"$cluster"})`),
				{Title: "Violations by kind and rule", Shape: Table, Unit: "short", Width: 12, Queries: []Query{{Expr: `sum by (kind, rule, severity) (k8guard_violations{cluster=~"$cluster"}) > 0`}}},
				{Title: "What could not be judged", About: "Neither right nor wrong: what a rule needs was not read.", Shape: Table, Unit: "short", Width: 12,
					Queries: []Query{{Expr: `sum by (kind, rule) (k8guard_unknown_verdicts{cluster=~"$cluster"}) > 0`, Rare: "everything could be judged"}}},
			}},
			{"The work", []Panel{
				lines("Observations", "What was handed to the bus.", "reqps", "{{state}}", `sum by (state) (rate(k8guard_observations_published_total{cluster=~"$cluster"}[$__rate_interval]))`),
				lines("Time to judge one object", "99 of 100 took less.", "s", "p99", quantile("0.99", "k8guard_judge_duration_seconds", `{cluster=~"$cluster"}`, "")).rare("no object changed lately"),
				lines("Roots that wait", "", "short", "waiting", `sum(k8guard_discover_queue_tasks{cluster=~"$cluster"})`),
				lines("What discover asks of the API", "", "reqps", "{{verb}} {{kind}}", `sum by (verb, kind) (rate(k8guard_kubernetes_requests_total{account="discover"}[$__rate_interval]) and on (instance) k8guard_audit_whole{cluster=~"$cluster"})`),
			}},
		}}
}

const teamText = `No metric carries the name of a namespace, a team or an object: tenants write those, and a name in a label would
be without bound and without rights. What one team has to do is in the report, for whoever may see it:
[its cases](${report}/cases?owner=${owner}), [as CSV](${report}/cases.csv?owner=${owner}),
[as JSON](${report}/api/v1/cases?owner=${owner}). What follows here is by rule, over all teams.`

// byRule is as near as metrics come to one team.
func byRule() Board {
	return Board{UID: "k8guard-rules", Title: "K8Guard: teams and rules", About: "One team's cases are in the report; here is what each rule finds, and what became of it.",
		Variables: []Variable{{Name: "rule", Label: "rule", Query: "label_values(k8guard_violations, rule)"},
			{Name: "report", Label: "report's URL", Default: "http://127.0.0.1:8686"}, {Name: "owner", Label: "a team's address", Default: "team@example.com"}},
		Rows: []Row{
			{"One team", []Panel{{Title: "Where a team's cases are", Shape: Text, Width: 24, Text: teamText}}},
			{"What the rule finds", []Panel{
				lines("Violations by cluster", "", "short", "{{cluster}} {{rule}}", `sum by (cluster, rule) (k8guard_violations{rule=~"$rule"})`),
				lines("Violations by kind", "", "short", "{{kind}} {{rule}}", `sum by (kind, rule) (k8guard_violations{rule=~"$rule"})`),
				lines("Unresolved cases", "Opened, and neither standing nor resolved.", "short", "{{rule}}", `max by (rule) (k8guard_unresolved_cases{rule=~"$rule"})`),
				lines("What could not be judged", "", "short", "{{rule}}", `sum by (rule) (k8guard_unknown_verdicts{rule=~"$rule"})`),
			}},
			{"What the rule costs", []Panel{
				lines("Time to judge one object", "99 of 100 took less.", "s", "{{rule}}", quantile("0.99", "k8guard_rule_duration_seconds", `{rule=~"$rule"}`, "rule")).rare("no object changed lately"),
				lines("Seconds of each second", "What the rule takes of one processor.", "percentunit", "{{rule}}", `sum by (rule) (rate(k8guard_rule_duration_seconds_sum{rule=~"$rule"}[$__rate_interval]))`),
			}},
		}}
}
