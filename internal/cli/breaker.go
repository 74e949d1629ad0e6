package cli

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/k8guard/k8guard/internal/report"
	"github.com/k8guard/k8guard/internal/scan"
)

// fuse is the circuit breaker as it was before a command that may open it.
type fuse struct {
	from *client
	was  *report.Breaker // nil: it could not be read, so nothing can be said of a change
}

// look asks once; a command is not kept from its work for want of an answer.
func look(ctx context.Context, from *client) fuse {
	f := fuse{from: from}
	var now report.Status
	if err := from.call(ctx, http.MethodGet, "/api/v1/status", nil, &now); err == nil {
		f.was = &now.Breaker
	}
	return f
}

// tell says that the breaker is open since the look, and how it is closed.
func (f fuse) tell(ctx context.Context, to io.Writer) {
	is := look(ctx, f.from).was
	if f.was == nil || is == nil || !is.Open || f.was.Open {
		return
	}
	_, _ = fmt.Fprintf(to, "the circuit breaker opened (%s): nothing more is acted on anywhere, until a person says: k8guard breaker close --reason \"...\"\n",
		scan.Visible(is.Reason))
}
