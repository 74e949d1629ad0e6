package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/k8guard/k8guard/internal/report"
	"github.com/k8guard/k8guard/internal/scan"
)

// fuse is the circuit breakers as they were before a command that may open one.
type fuse struct {
	from *client
	was  map[string]report.Breaker // by cluster; nil: they could not be read
}

// look asks once; a command is not kept from its work for want of an answer.
func look(ctx context.Context, from *client) fuse {
	f := fuse{from: from}
	if now, err := from.status(ctx); err == nil {
		f.was = breakers(now)
	}
	return f
}

// status asks for how things stand now: an answer of a moment ago may be of before a command of
// ours.
func (c *client) status(ctx context.Context) (now report.Status, err error) {
	return now, c.call(ctx, http.MethodGet, "/api/v1/status", nil, &now)
}

// breakers are those of each cluster, or the one where no cluster is listed.
func breakers(s report.Status) map[string]report.Breaker {
	if len(s.Clusters) < 2 {
		return map[string]report.Breaker{s.Cluster: s.Breaker}
	}
	all := map[string]report.Breaker{}
	for _, c := range s.Clusters {
		all[c.Name] = c.Breaker
	}
	return all
}

// tell says of each breaker that is open whether it is so since the look, and how it is closed.
func (f fuse) tell(ctx context.Context, to io.Writer) {
	is := look(ctx, f.from).was
	for _, name := range slices.Sorted(maps.Keys(is)) {
		b := is[name]
		if !b.Open {
			continue
		}
		of, there, how := "", "", "k8guard breaker close"
		if len(is) > 1 {
			of, there, how = " of cluster "+name, " there", how+" --cluster "+name
		}
		opened := "opened"
		if was := f.was[name]; f.was == nil || was.Open && was.At.Equal(b.At) {
			opened = "is open since " + exactly(b.At)
		}
		_, _ = fmt.Fprintf(to, "%s\n", scan.Visible(fmt.Sprintf("the circuit breaker%s %s (%s): nothing more is acted on%s, until a person says: %s --reason \"...\"", of, opened, b.Reason, there, how+f.from.how)))
	}
}
