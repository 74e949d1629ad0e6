package app

import (
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/outbox"
)

func TestOnlyAWarningCounts(t *testing.T) {
	for _, row := range []struct {
		purpose docket.Purpose
		emails  []string
		named   bool
		want    string
	}{
		{docket.Warning, []string{"a@example.com"}, true, "taken for whom it reaches, it is a confirmed warning"},
		{docket.Warning, []string{"a@example.com"}, false, "the platform has not named the owner"},
		{docket.Warning, nil, true, "it reaches nobody personally"},
		{docket.Enforced, []string{"a@example.com"}, true, "it is no warning"},
		{docket.Undone, []string{"a@example.com"}, true, "it is no warning"},
	} {
		owner := v1.Owner{Emails: row.emails, Platform: row.named}
		yes, why := counts(outbox.Notice{State: outbox.Sent, Channel: notify.Email, Owner: owner,
			Digest: notify.Digest{Owner: owner, Items: []notify.Item{{Purpose: string(row.purpose)}}}})
		if yes != (row.purpose == docket.Warning && row.named && row.emails != nil) || why != row.want {
			t.Errorf("%s to %v: %t, %q", row.purpose, owner, yes, why)
		}
	}
}
