package email

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/mail"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
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
	sum := sha256.Sum256([]byte(d.ID))
	m.SetMessageIDWithValue(hex.EncodeToString(sum[:16]) + "@" + c.domain())
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

// purposes are in the order in which a reader wants them.
func purposes() []docket.Purpose {
	return []docket.Purpose{docket.Enforced, docket.NeedsHuman, docket.Warning, docket.Undone, docket.AllClear}
}

// subject is "[K8Guard] prod: 3 warnings, first act 2026-11-25 10:00 UTC (notice 7)".
func subject(d notify.Digest) string {
	s := "[K8Guard] " + header(d.Cluster, 60) + ": " + summary(d)
	if at, act := firstStep(d.Items); !at.IsZero() {
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

// summary counts the digest's items: "1 acted on, 3 warnings".
func summary(d notify.Digest) string {
	count := map[docket.Purpose]int{}
	for _, it := range d.Items {
		count[purposeOf(it)]++
	}
	var parts []string
	for _, p := range purposes() {
		switch n := count[p]; {
		case n == 0:
		case p == docket.Warning && n > 1:
			parts = append(parts, fmt.Sprintf("%d warnings", n))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, short(p)))
		}
	}
	if len(parts) == 0 {
		return "no cases"
	}
	return strings.Join(parts, ", ")
}

func short(p docket.Purpose) string {
	switch p {
	case docket.Enforced:
		return "acted on"
	case docket.Undone:
		return "undone"
	case docket.AllClear:
		return "resolved"
	case docket.NeedsHuman:
		return "needing a human"
	default:
		return "warning"
	}
}

// purposeOf reads a purpose that this version does not know as one for a human.
func purposeOf(it notify.Item) docket.Purpose {
	switch p := docket.Purpose(it.Purpose); p {
	case docket.Enforced, docket.Undone, docket.AllClear, docket.Warning:
		return p
	}
	return docket.NeedsHuman
}

// firstStep returns the earliest act that warnings lead to, else the earliest other step.
func firstStep(items []notify.Item) (first time.Time, act bool) {
	for _, it := range items {
		if it.NextAt.IsZero() || purposeOf(it) != docket.Warning {
			continue
		}
		isAct := !it.ActAt().IsZero()
		if first.IsZero() || (isAct && !act) || (isAct == act && it.NextAt.Before(first)) {
			first, act = it.NextAt, isAct
		}
	}
	return first, act
}
