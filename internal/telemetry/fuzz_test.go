package telemetry_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"

	"github.com/k8guard/k8guard/internal/config"
)

// Whatever a tenant writes: one line, of what is seen; and JSON that another parser reads,
// with no more keys than were said.
func FuzzLog(f *testing.F) {
	f.Add("name", "a\x1b[2J\r\nlevel=ERROR msg=forged")
	f.Add("a=b \"c\"", "\u202egnp.exe\u2066\u2028\u0085\x9b31m")
	f.Add("", "\xff\xfe\x00\"} {\"level\":\"ERROR\"")
	f.Fuzz(func(t *testing.T, key, text string) {
		say := func(l *slog.Logger) {
			l.With("root", text).Warn(text, "k"+key, text, "err", errors.New(text), "all", []string{text}, slog.Group("g", "name", text)) //nolint:sloglint // hostile messages, too
		}
		for _, format := range []string{"text", "json"} {
			got := logged(config.Log{Level: "info", Format: format}, say)
			line, whole := strings.CutSuffix(got, "\n")
			if !whole || strings.ContainsFunc(line, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) }) {
				t.Errorf("%s: %q", format, got)
			}
			if format == "text" {
				if !strings.HasPrefix(line, "time=") || !strings.Contains(line, " level=WARN msg=") {
					t.Errorf("%q", got)
				}
				continue
			}
			var said map[string]any
			if err := json.Unmarshal([]byte(line), &said); err != nil || said["level"] != "WARN" || len(said) > 8 {
				t.Errorf("%v: %q", err, got)
			}
		}
	})
}
