package email

import (
	"context"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
)

// htmlBody is the mail for people. The template cannot fail but for its writer's sake.
func htmlBody(ctx context.Context, d notify.Digest, now time.Time) (string, error) {
	var b strings.Builder
	err := page(d, now).Render(ctx, &b)
	return b.String(), err
}
