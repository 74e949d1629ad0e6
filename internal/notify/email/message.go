package email

import (
	"bytes"
	"context"
	"fmt"
	"net/mail"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/wording"
	gomail "github.com/wneessen/go-mail"
)

// HeaderNotice names the digest, so that a repeated mail is recognised.
const HeaderNotice = "X-K8Guard-Notice"

// compose writes the whole message, before a connection is opened for it.
func (c *Channel) compose(ctx context.Context, d notify.Digest, to []string) ([]byte, error) {
	page, err := htmlBody(ctx, d, c.now())
	if err != nil {
		return nil, fmt.Errorf("compose the mail's page: %w", err)
	}
	m := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(c.from)
	addresses := make([]*mail.Address, 0, len(to))
	for _, a := range to {
		addresses = append(addresses, &mail.Address{Address: a})
	}
	m.ToMailAddress(addresses...)
	now := c.now()
	m.Subject(subject(d))
	m.SetDateWithValue(now)
	m.SetMessageIDWithValue(d.Ref() + "@" + c.domain())
	m.SetGenHeader(HeaderNotice, token(d.ID, 300))
	m.SetGenHeader("Auto-Submitted", "auto-generated")
	m.SetGenHeader("List-Id", "<k8guard."+c.domain()+">") // the same for all, so that one filter takes them
	m.SetBodyString(gomail.TypeTextPlain, textBody(d, now))
	m.AddAlternativeString(gomail.TypeTextHTML, page)
	var b bytes.Buffer
	if _, err := m.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("compose the mail: %w", err)
	}
	return b.Bytes(), nil
}

// subject is "[K8Guard] prod: 3 warnings, first act 2026-11-25 10:00 UTC (notice 7)".
func subject(d notify.Digest) string {
	s := "[K8Guard] " + header(d.Cluster, 60) + ": " + wording.Summary(d)
	if at, act := wording.FirstStep(d.Items); !at.IsZero() {
		word := "next step"
		if act {
			word = "first act"
		}
		s += ", " + word + " " + at.UTC().Format("2006-01-02 15:04 UTC")
	}
	if d.Number > 0 {
		s += fmt.Sprintf(" (notice %d)", d.Number)
	}
	return s
}
