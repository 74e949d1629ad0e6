package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
)

// legible is what a channel would send, as its reader sees it: JSON in lines, of a mail the
// headers and the text. What is neither stays as it is; -o json has the bytes.
func legible(body []byte) string {
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") == nil {
		return pretty.String()
	}
	if text, err := mailText(body); err == nil {
		return text
	}
	return string(body)
}

func mailText(body []byte) (string, error) {
	m, err := mail.ReadMessage(bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, name := range []string{"From", "To", "Subject", "Date"} {
		value := m.Header.Get(name)
		if decoded, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
			value = decoded
		}
		if value != "" {
			// A header is one line: a name in it makes no other.
			fmt.Fprintf(&b, "%-8s %s\n", name, strings.Join(strings.Fields(value), " "))
		}
	}
	text, err := plainPart(m)
	return b.String() + "\n" + text, err
}

// plainPart is the part of a mail that is text. It is not for mails of others: parts within parts
// are not looked for.
func plainPart(m *mail.Message) (string, error) {
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return "", fmt.Errorf("a mail of kind %q: %w", kind, err)
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := parts.NextPart() // decodes quoted-printable
		if err != nil {
			return "", err
		}
		if kind, _, err := mime.ParseMediaType(part.Header.Get("Content-Type")); err == nil && kind == "text/plain" {
			text, err := io.ReadAll(part)
			return string(text), err
		}
	}
}
