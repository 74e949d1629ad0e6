package report

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/k8guard/k8guard/internal/ledger"
	"github.com/k8guard/k8guard/internal/rule"
)

func statuses() []string {
	return []string{ledger.StatusOpen, ledger.StatusNeedsHuman, ledger.StatusActed, ledger.StatusContested,
		ledger.StatusExempt, ledger.StatusStanding, ledger.StatusResolved}
}

func severities() []string {
	return []string{string(rule.Critical), string(rule.High), string(rule.Medium), string(rule.Low)}
}

// parseQuery reads the filters. Its error names the parameter and what to write.
func parseQuery(v url.Values) (ledger.CaseQuery, error) {
	for name := range v {
		if !slices.Contains(filterNames(), name) {
			return ledger.CaseQuery{}, fmt.Errorf("%q is not a parameter; write one of %s", name, strings.Join(filterNames(), ", "))
		}
	}
	q := ledger.CaseQuery{Rule: v.Get("rule"), Severity: v.Get("severity"), Kind: v.Get("kind"),
		Namespace: v.Get("namespace"), Cluster: v.Get("cluster"), Owner: strings.ToLower(v.Get("owner")), Cursor: v.Get("cursor"), Limit: 50}
	for _, status := range v["status"] {
		if status == "" {
			continue
		}
		if !slices.Contains(statuses(), status) {
			return q, fmt.Errorf("status: %q is none; write one of %s", status, strings.Join(statuses(), ", "))
		}
		q.Statuses = append(q.Statuses, status)
	}
	if q.Severity != "" && !slices.Contains(severities(), q.Severity) {
		return q, fmt.Errorf("severity: %q is none; write one of %s", q.Severity, strings.Join(severities(), ", "))
	}
	if text := v.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 500 {
			return q, fmt.Errorf("limit: %q is not a number from 1 to 500", text)
		}
		q.Limit = n
	}
	return q, nil
}

func filterNames() []string {
	return []string{"status", "rule", "severity", "kind", "namespace", "cluster", "owner", "limit", "cursor"}
}

// pageURL is the address of the next page of the same filters.
func pageURL(v url.Values, cursor string) string {
	next := url.Values{}
	for name, values := range v {
		if name != "cursor" && strings.Join(values, "") != "" {
			next[name] = values
		}
	}
	if cursor != "" {
		next.Set("cursor", cursor)
	}
	if len(next) == 0 {
		return "/cases"
	}
	return "/cases?" + next.Encode()
}
