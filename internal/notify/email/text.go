package email

import (
	"fmt"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
)

// textBody is the mail for programs that show no HTML.
func textBody(d notify.Digest, now time.Time) string {
	var b strings.Builder
	b.WriteString(intro(d) + "\n")
	for _, line := range tally(d) {
		b.WriteString("\n" + line + "\n")
	}
	all, more := groups(d)
	var last docket.Purpose
	for _, g := range all {
		if g.purpose != last {
			fmt.Fprintf(&b, "\n== %s ==\n", title(g.purpose))
			last = g.purpose
		}
		fmt.Fprintf(&b, "\n%s\n", clean(g.root, maxField))
		for _, it := range g.items {
			fmt.Fprintf(&b, "\n  * %s\n", heading(it))
			for _, f := range fields(it, now) {
				fmt.Fprintf(&b, "    %-8s %s\n", f.label+":", f.value)
			}
		}
	}
	if more > 0 {
		fmt.Fprintf(&b, "\n… and %d more\n", more)
	}
	if u := link(d.URL); u != "" {
		fmt.Fprintf(&b, "\nReport: %s\n", u)
	}
	if f := footer(d); f != "" {
		fmt.Fprintf(&b, "\n-- \n%s\n", f)
	}
	return b.String()
}
