package post

import (
	"errors"
	"fmt"

	"github.com/k8guard/k8guard/internal/config"
)

// Secret is read when it is needed, so that a changed file needs no restart. It is a function so
// that no way of printing what holds it shows it.
type Secret func() (string, error)

// NewSecret takes it from a file, or from the configuration where none is named.
func NewSecret(key string, value config.Secret, file string) Secret {
	return func() (string, error) {
		text, err := value.OrFile(key+"File", file)
		switch {
		case err != nil:
			return "", err
		case text == "":
			return "", fmt.Errorf("%sFile is empty: write the secret into it", key)
		case !visible(text):
			return "", errors.New(key + " holds a space or a character that no secret has")
		}
		return text, nil
	}
}

// visible keeps what a file holds from breaking out of a header.
func visible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
