package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"unicode"

	"k8s.io/klog/v2"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/telemetry"
)

func logged(c config.Log, say func(*slog.Logger)) string {
	var out bytes.Buffer
	say(telemetry.NewLogger(&out, c))
	return out.String()
}

func TestSecretsAreMasked(t *testing.T) {
	const value = "hunter2"
	for _, format := range []string{"text", "json"} {
		for _, name := range []string{"password", "Password", "smtpPassword", "token", "apiTokens", "secret", "Authorization"} {
			for how, say := range map[string]func(*slog.Logger){
				"string": func(l *slog.Logger) { l.Info("a", name, value) },
				"bytes":  func(l *slog.Logger) { l.Info("a", name, []byte(value)) },
				"error":  func(l *slog.Logger) { l.Info("a", name, errors.New(value)) },
				"with":   func(l *slog.Logger) { l.With(name, value).Info("a") },
				"group":  func(l *slog.Logger) { l.Info("a", slog.Group(name, "value", value)) },
				"in":     func(l *slog.Logger) { l.WithGroup("smtp").Info("a", name, value) },
				"typed":  func(l *slog.Logger) { l.Info("a", "harmless", config.NewSecret(value)) },
				"struct": func(l *slog.Logger) { l.Info("a", "mail", config.Email{Password: config.NewSecret(value)}) },
			} {
				got := logged(config.Log{Level: "info", Format: format}, say)
				if strings.Contains(got, value) || !strings.Contains(got, "***") {
					t.Errorf("%s, %s as %s: %s", format, name, how, got)
				}
			}
		}
	}
}

func TestHostileTextStaysInItsPlace(t *testing.T) {
	const hostile = "a\x1b[31mred\r\nlevel=ERROR msg=forged \u202egnp.exe\u2066 \u200bzero\u2028line\x00\xff\U000e0041 tag"
	for _, format := range []string{"text", "json"} {
		got := logged(config.Log{Level: "info", Format: format}, func(l *slog.Logger) {
			l.With("pod"+hostile, hostile).Info(hostile, "err", errors.New(hostile), "names", []string{hostile}, slog.Group("g", "name", hostile))
		})
		if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "\n") {
			t.Errorf("%s: a line was forged: %q", format, got)
		}
		for _, r := range strings.TrimSuffix(got, "\n") {
			if !unicode.IsPrint(r) {
				t.Errorf("%s: %U is not seen: %q", format, r, got)
			}
		}
		if !strings.Contains(got, "a[31mred  level=ERROR msg=forged gnp.exe zero line") {
			t.Errorf("%s: the words are lost: %q", format, got)
		}
	}
}

func TestKubernetesLogsTakeOurForm(t *testing.T) {
	t.Cleanup(klog.ClearLogger)
	got := logged(config.Log{Level: "info", Format: "text"}, func(l *slog.Logger) {
		telemetry.TakeKubernetesLogs(l)
		klog.Background().Error(errors.New("gone\x1b[31m"), "Failed to watch", "reflector", "pods")
	})
	if !strings.Contains(got, `level=ERROR msg="Failed to watch"`) || !strings.Contains(got, "reflector=pods") || strings.Contains(got, "\x1b") {
		t.Errorf("got %q", got)
	}
}

func TestLevelAndFormat(t *testing.T) {
	say := func(l *slog.Logger) { l.Debug("d"); l.Info("i"); l.Warn("w"); l.Error("e", "n", 3, "ok", true) }
	for level, want := range map[string]int{"debug": 4, "info": 3, "warn": 2, "error": 1, "": 3, "loud": 3} {
		if got := strings.Count(logged(config.Log{Level: level, Format: "text"}, say), "\n"); got != want {
			t.Errorf("level %q: %d lines, want %d", level, got, want)
		}
	}
	var line struct {
		Level, Msg string
		N          int
		OK         bool
	}
	out := logged(config.Log{Level: "error", Format: "json"}, say)
	if err := json.Unmarshal([]byte(out), &line); err != nil || line.Level != "ERROR" || line.Msg != "e" || line.N != 3 || !line.OK {
		t.Errorf("%s: %+v, %v", out, line, err)
	}
}
