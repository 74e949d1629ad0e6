// Package telemetry is what K8Guard says about itself: its log and its metrics.
//
// Purpose: one logger and one registry for a process, made in one place and given in.
//
// Concurrency: both may be used by any number of goroutines.
//
// Guarantees: nothing is global, so two instances live in one process; a value whose name
// speaks of a secret is masked; what a tenant wrote cannot forge a line, hide in one, or
// turn the direction of its text.
//
// It will not: send anything anywhere, or name a tenant's object in a metric of its own.
package telemetry

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"unicode"

	"k8s.io/klog/v2"

	"github.com/k8guard/k8guard/internal/config"
)

const masked = "***"

// NewLogger writes to w in the format and from the level that c names; a level that is
// not known means info.
func NewLogger(w io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: replace}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// TakeKubernetesLogs sends what the Kubernetes libraries log through log: one form, one
// level, hostile text shown as such. Their logger is one for the whole process.
func TakeKubernetesLogs(log *slog.Logger) { klog.SetSlogLogger(log) }

// replace masks what is named like a secret, and cleans the rest. Groups count as names:
// what lies in a group called "token" is one.
func replace(groups []string, a slog.Attr) slog.Attr {
	a.Key = clean(a.Key)
	if secret(a.Key) || slices.ContainsFunc(groups, secret) {
		return slog.String(a.Key, masked)
	}
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(clean(a.Value.String()))
	case slog.KindAny:
		// An error or a struct may carry a tenant's text anywhere: only its text is logged.
		a.Value = slog.StringValue(clean(fmt.Sprintf("%+v", a.Value.Any())))
	}
	return a
}

// secret says that a name speaks of one: "password", but also "smtpPassword".
func secret(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc([]string{"password", "token", "secret", "authorization"}, func(s string) bool {
		return strings.Contains(name, s)
	})
}

// clean drops what is not seen (control, format and bidi characters); what breaks a line or
// moves the cursor on becomes a space, so that words stay apart.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.In(r, unicode.Zl, unicode.Zp), r != ' ' && unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
