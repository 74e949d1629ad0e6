package report

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/ledger"
)

// kinds are what a root may be of.
func kinds() (names []string) {
	for _, k := range entity.Kinds() {
		names = append(names, string(k))
	}
	return names
}

// asKind is the kind as the API writes it, whatever the case it was typed in.
func asKind(typed string) string {
	for _, k := range kinds() {
		if strings.EqualFold(k, typed) {
			return k
		}
	}
	return typed
}

// none reports whether a question found nothing at all: what was found is believed, for a
// ledger may hold cases of rules that are gone.
func none(q ledger.CaseQuery, p ledger.CasePage) bool {
	return q.Cursor == "" && p.Next == "" && len(p.Rows) == 0
}

// slips names the filters whose values are none: they can match nothing, and a slip of the pen
// must not look like a clean cluster.
func (s *server) slips(q ledger.CaseQuery) (all []string) {
	if _, known := s.rules[q.Rule]; q.Rule != "" && !known && len(s.rules) > 0 {
		all = append(all, fmt.Sprintf("rule: no rule is called %q; %s", q.Rule, config.Suggest(short(q.Rule), s.ruleIDs(""))))
	}
	if q.Kind != "" && !slices.Contains(kinds(), q.Kind) {
		all = append(all, fmt.Sprintf("kind: no kind that is judged is called %q; %s", q.Kind, config.Suggest(short(q.Kind), kinds())))
	}
	return all
}

// short bounds what is compared with every known name.
func short(text string) string { return text[:min(len(text), maxText)] }

// strange names the filters that no case on record fits, of those whose values nobody here can
// know to be wrong. It asks as the reader: of what they may not see it says what it says of
// what is not there.
func (s *server) strange(ctx context.Context, q ledger.CaseQuery) (all []string, err error) {
	for _, one := range []struct {
		what, value string
		query       ledger.CaseQuery
	}{
		{"namespace", q.Namespace, ledger.CaseQuery{Namespace: q.Namespace}},
		{"cluster", q.Cluster, ledger.CaseQuery{Cluster: q.Cluster}},
		{"owner", q.Owner, ledger.CaseQuery{Owner: q.Owner}},
	} {
		if one.value == "" {
			continue
		}
		one.query.Statuses, one.query.Limit = statuses(), 1
		page, err := s.seen().Cases(ctx, one.query)
		if err != nil {
			return nil, err
		}
		if none(one.query, page) {
			all = append(all, fmt.Sprintf("no case of %s %q is on record, of any status", one.what, one.value))
		}
	}
	return all, nil
}

// refuseSlips is what a program is answered.
func (s *server) refuseSlips(q ledger.CaseQuery, p ledger.CasePage) error {
	if slips := s.slips(q); none(q, p) && len(slips) > 0 {
		return refusal{http.StatusBadRequest, strings.Join(slips, "; ")}
	}
	return nil
}

// notes are what a page says above a list that is empty.
func (s *server) notes(ctx context.Context, q ledger.CaseQuery, p ledger.CasePage) ([]string, error) {
	if !none(q, p) {
		return nil, nil
	}
	strange, err := s.strange(ctx, q)
	return append(s.slips(q), strange...), err
}
