package config_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/k8guard/k8guard/internal/config"
)

const hidden = "hunter2-in-the-file"

// TestSecretStaysHidden prints secrets in every way that code or a log may, also from where
// fmt calls no method: an unexported field, a pointer, an interface, a map.
func TestSecretStaysHidden(t *testing.T) {
	s, c := config.NewSecret(hidden), full()
	type inside struct{ secret config.Secret }
	type deeper struct {
		inside *inside
		any    any
		all    []config.Secret
		named  map[string]config.Secret
		whole  config.Config
	}
	values := map[string]any{
		"plain": s, "pointer": &s, "config": c, "config pointer": &c, "email": c.Notify.Email,
		"unexported": inside{s}, "unexported pointer": &inside{s}, "list": []config.Secret{s},
		"deep": deeper{&inside{s}, s, []config.Secret{s}, map[string]config.Secret{"a": s}, c},
	}
	for name, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
			leaks(t, name+" "+verb, fmt.Sprintf(verb, v))
		}
		leaks(t, name+" error", fmt.Errorf("about %v", v).Error())
		for _, logger := range []func(*bytes.Buffer) slog.Handler{
			func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
			func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		} {
			var out bytes.Buffer
			slog.New(logger(&out)).Info("about", "value", v)
			leaks(t, name+" slog", out.String())
		}
		if text, err := json.Marshal(v); err != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			leaks(t, name+" JSON", string(text))
		}
		if text, err := yaml.Marshal(v); err != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			leaks(t, name+" YAML", string(text))
		}
	}
}

func leaks(t *testing.T, how, text string) {
	t.Helper()
	hex := fmt.Sprintf("%x", hidden)
	if strings.Contains(text, hidden) || strings.Contains(strings.ToLower(text), hex) {
		t.Errorf("%s shows the secret: %s", how, text)
	}
}

func TestSecretIsMasked(t *testing.T) {
	s := config.NewSecret(hidden)
	for verb, want := range map[string]string{"%v": "***", "%+v": "***", "%#v": "***", "%s": "***", "%q": `"***"`} {
		if got := fmt.Sprintf(verb, s); got != want {
			t.Errorf("%s: got %s, want %s", verb, got, want)
		}
	}
	if s.Reveal() != hidden || s.Empty() {
		t.Error("the value is lost")
	}
	var zero config.Secret
	if zero.Reveal() != "" || !zero.Empty() || zero.String() != "" || !config.NewSecret("").Empty() {
		t.Error("an empty secret is not empty")
	}
}

// TestMaskIsNoValue: what a program printed and another reads must not become a password.
func TestMaskIsNoValue(t *testing.T) {
	var read struct{ Secret config.Secret }
	text, err := json.Marshal(struct{ Secret config.Secret }{config.NewSecret(hidden)})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &read); err == nil || !strings.Contains(err.Error(), "mask") {
		t.Errorf("%s was read: %v", text, err)
	}
	if err := json.Unmarshal([]byte(`{"Secret":"real"}`), &read); err != nil || read.Secret.Reveal() != "real" {
		t.Errorf("got %q, %v", read.Secret.Reveal(), err)
	}
}
