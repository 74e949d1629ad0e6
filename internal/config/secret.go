package config

import (
	"errors"
	"log/slog"
)

const mask = "***"

// Secret is a value that must not be shown: every way to print it says "***", or nothing
// where it is empty. It hides behind a pointer because fmt calls no method on what lies in
// an unexported field: there it prints an address. The zero value is empty.
type Secret struct{ value *string }

// NewSecret hides value.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value, for the one place that needs it.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// Empty says that nothing is hidden. Secrets cannot be compared by ==.
func (s Secret) Empty() bool { return s.value == nil }

// String masks.
func (s Secret) String() string {
	if s.Empty() {
		return ""
	}
	return mask
}

// GoString masks in %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText masks in JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue masks in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// UnmarshalText hides text, and refuses the mask: it would be taken for the value.
func (s *Secret) UnmarshalText(text []byte) error {
	if string(text) == mask {
		return errors.New("is the mask of a printed configuration, not a value; write the real one, or name a file that holds it")
	}
	*s = NewSecret(string(text))
	return nil
}
