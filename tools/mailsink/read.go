package mailsink

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/emersion/go-message/mail"
)

// Message is a recorded mail, parsed.
type Message struct {
	Envelope
	Subject string              // decoded
	Header  map[string][]string // decoded, by canonical name
	Text    string
	HTML    string
	Raw     []byte
	Problem string // why it could not be parsed; empty when it could
}

// Get returns the first value of a header.
func (m Message) Get(name string) string {
	for key, values := range m.Header {
		if strings.EqualFold(key, name) {
			return values[0]
		}
	}
	return ""
}

// Messages returns what was recorded and not lost, in order.
func (s *Sink) Messages() []Message {
	var all []Message
	for _, e := range s.store.envelopes() {
		if !e.Lost {
			all = append(all, read(s.opts.Dir, e))
		}
	}
	return all
}

// Lost returns the envelopes that were answered with 250 and thrown away.
func (s *Sink) Lost() []Envelope {
	var lost []Envelope
	for _, e := range s.store.envelopes() {
		if e.Lost {
			lost = append(lost, e)
		}
	}
	return lost
}

func read(dir string, e Envelope) Message {
	raw, err := os.ReadFile(filepath.Join(dir, e.file()))
	if err != nil {
		return Message{Envelope: e, Problem: err.Error()}
	}
	m, err := Parse(raw)
	m.Envelope = e
	if err != nil {
		m.Problem = err.Error()
	}
	return m
}

// Parse reads one message as a mail program would.
func Parse(raw []byte) (Message, error) {
	m := Message{Raw: raw, Header: map[string][]string{}}
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if err != nil {
		return m, fmt.Errorf("mail sink: read a message: %w", err)
	}
	for fields := r.Header.Fields(); fields.Next(); {
		value, err := fields.Text()
		if err != nil {
			value = fields.Value()
		}
		m.Header[fields.Key()] = append(m.Header[fields.Key()], value)
	}
	m.Subject = m.Get("Subject")
	for {
		part, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			return m, nil
		}
		if err != nil {
			return m, fmt.Errorf("mail sink: read a message's part: %w", err)
		}
		if err := m.take(part); err != nil {
			return m, err
		}
	}
}

func (m *Message) take(part *mail.Part) error {
	h, ok := part.Header.(*mail.InlineHeader)
	if !ok {
		return nil
	}
	body, err := io.ReadAll(part.Body)
	if err != nil {
		return fmt.Errorf("mail sink: read a message's part: %w", err)
	}
	switch kind, _, _ := h.ContentType(); kind {
	case "text/plain", "":
		m.Text += string(body)
	case "text/html":
		m.HTML += string(body)
	}
	return nil
}
