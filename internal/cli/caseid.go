package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/k8guard/k8guard/internal/ledger"
)

// A whole id has fullID characters; from minID on, the beginning of one will do.
const (
	minID  = 6
	fullID = 28
)

// candidates is how many cases are named where an id fits more than one.
const candidates = 5

// caseID is the whole id of the one case that begins so. What may be whole is left as it is:
// that it is none is for the running K8Guard to say.
func (c *client) caseID(ctx context.Context, id string) (string, error) {
	if len(id) < minID || len(id) >= fullID {
		return id, nil
	}
	var page ledger.CasePage
	query := url.Values{"id": {id}, "status": ledger.Statuses(), "limit": {fmt.Sprint(candidates)}}
	if err := c.call(ctx, http.MethodGet, "/api/v1/cases?"+query.Encode(), nil, &page); err != nil {
		return "", ExitError{Code: ExitFailure, Err: err}
	}
	switch len(page.Rows) {
	case 0:
		return id, nil
	case 1:
		return page.Rows[0].ID, nil
	}
	var fits []string
	for _, r := range page.Rows {
		if r.ID == id {
			return id, nil
		}
		fits = append(fits, fmt.Sprintf("%s (%s, %s)", r.ID, r.Root, r.Case.Rule))
	}
	if more := page.Total - len(fits); more > 0 {
		fits = append(fits, fmt.Sprintf("%d more", more))
	}
	return "", failure("%s is how %d cases begin: %s; write more of it", id, page.Total, strings.Join(fits, ", "))
}
