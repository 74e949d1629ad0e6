package email

import (
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
)

// page builds HTML. It escapes by hand what it is given as text: the template packages
// would keep the linker from dropping unused methods of the whole program.
type page struct{ strings.Builder }

func (p *page) element(name, text string) {
	fmt.Fprintf(&p.Builder, "<%s>%s</%s>\n", name, html.EscapeString(text), name)
}

func (p *page) field(f field) {
	value := html.EscapeString(f.value)
	switch f.label {
	case "Undo":
		value = "<code>" + value + "</code>"
	case "Link":
		value = anchor(f.value)
	}
	fmt.Fprintf(&p.Builder, "<tr><th align=\"left\" valign=\"top\">%s</th><td>%s</td></tr>\n", html.EscapeString(f.label), value)
}

// anchor expects what link returned.
func anchor(u string) string {
	u = html.EscapeString(u)
	return `<a href="` + u + `">` + u + `</a>`
}

// htmlBody is the mail for people; it loads nothing and runs nothing.
func htmlBody(d notify.Digest, now time.Time) string {
	p := &page{}
	p.WriteString("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
	p.element("title", subject(d))
	p.WriteString("</head><body>\n")
	p.element("h1", intro(d))
	all, more := groups(d)
	var last docket.Purpose
	for _, g := range all {
		if g.purpose != last {
			p.element("h2", title(g.purpose))
			last = g.purpose
		}
		p.element("h3", clean(g.root, maxField))
		for _, it := range g.items {
			p.item(it, now)
		}
	}
	if more > 0 {
		p.element("p", fmt.Sprintf("… and %d more", more))
	}
	if u := link(d.URL); u != "" {
		fmt.Fprintf(&p.Builder, "<p>Report: %s</p>\n", anchor(u))
	}
	if f := footer(d); f != "" {
		p.element("p", f)
	}
	p.WriteString("</body></html>\n")
	return p.String()
}

func (p *page) item(it notify.Item, now time.Time) {
	p.element("h4", heading(it))
	p.WriteString("<table>\n")
	for _, f := range fields(it, now) {
		p.field(f)
	}
	p.WriteString("</table>\n")
}
