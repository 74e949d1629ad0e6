package email

import (
	"fmt"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

// textBody is the mail for programs that show no HTML.
func textBody(d notify.Digest, now time.Time) string {
	var b strings.Builder
	b.WriteString(wording.Intro(d) + "\n")
	for _, line := range wording.Tally(d) {
		b.WriteString("\n" + line + "\n")
	}
	all, more := wording.Groups(d)
	var last docket.Purpose
	for _, g := range all {
		if g.Purpose != last {
			fmt.Fprintf(&b, "\n== %s ==\n", wording.Title(g.Purpose))
			last = g.Purpose
		}
		fmt.Fprintf(&b, "\n%s\n", clean(g.Root, wording.MaxField))
		for _, it := range g.Items {
			fmt.Fprintf(&b, "\n  * %s\n", wording.Heading(it))
			for _, f := range wording.Fields(it, now) {
				fmt.Fprintf(&b, "    %-8s %s\n", f.Label+":", f.Value)
			}
		}
	}
	if more > 0 {
		fmt.Fprintf(&b, "\n… and %d more\n", more)
	}
	if u := link(d.URL); u != "" {
		fmt.Fprintf(&b, "\nReport: %s\n", u)
	}
	if f := wording.Footer(d); f != "" {
		fmt.Fprintf(&b, "\n-- \n%s\n", f)
	}
	return b.String()
}
