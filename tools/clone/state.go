package clone

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
)

// ErrName says that a name cannot be one of a state folder.
var ErrName = errors.New("not a name")

// State is the absolute path of a state folder: dir, or where that is empty the one of this
// name among those of its sort in the clone. A name cannot leave that folder.
func State(ctx context.Context, dir, sort, name string) (string, error) {
	if dir != "" {
		return filepath.Abs(dir)
	}
	if !regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,40}$`).MatchString(name) {
		return "", fmt.Errorf("%w: name %q must be lower-case letters, digits and dashes, at most 41", ErrName, name)
	}
	root, err := Root(ctx)
	if err != nil {
		return "", err
	}
	return filepath.Join(root, ".state", sort, name), nil
}
