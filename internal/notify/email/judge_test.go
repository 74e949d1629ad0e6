package email

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// foreign parses a page as a browser would, and returns the first element or attribute that
// the template does not write itself.
func foreign(page string) string {
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return err.Error()
	}
	allowed := map[string][]string{"html": {"lang"}, "head": nil, "meta": {"charset"}, "title": nil, "body": nil, "h1": nil, "h2": nil,
		"h3": nil, "h4": nil, "p": nil, "table": nil, "tbody": nil, "tr": nil, "th": {"align", "valign"}, "td": nil, "code": nil, "a": {"href"}}
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode {
			return "a comment: " + n.Data
		}
		if n.Type != html.ElementNode {
			continue
		}
		attributes, ok := allowed[n.Data]
		if !ok {
			return "element " + n.Data
		}
		for _, a := range n.Attr {
			if !slices.Contains(attributes, a.Key) || a.Key == "href" && link(a.Val) != a.Val {
				return fmt.Sprintf("attribute %s=%q of %s", a.Key, a.Val, n.Data)
			}
		}
	}
	return ""
}

// judged reads a mail with the standard library alone, and returns its two bodies.
func judged(raw []byte) (head mail.Header, text, page string, err error) {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return nil, "", "", err
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return nil, "", "", fmt.Errorf("it is %q: %w", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	var bodies []string
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, "", "", err
		}
		want := []string{"text/plain; charset=UTF-8", "text/html; charset=UTF-8"}
		if len(bodies) >= len(want) || part.Header.Get("Content-Type") != want[len(bodies)] || len(part.Header) != 2 {
			return nil, "", "", fmt.Errorf("part %d has the header %v", len(bodies)+1, part.Header)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return nil, "", "", err
		}
		bodies = append(bodies, string(body))
	}
	if len(bodies) != 2 {
		return nil, "", "", fmt.Errorf("%d parts, want two", len(bodies))
	}
	return m.Header, bodies[0], bodies[1], nil
}
