package app

import (
	"context"
	"errors"
	"testing"
)

// A part that fails ends the others and the program with its error; a stop that was asked
// for is none.
func TestTogether(t *testing.T) {
	broken := errors.New("the watch broke")
	waits := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	fails := func(context.Context) error { return broken }
	if err := together(t.Context(), waits, fails, waits); !errors.Is(err, broken) {
		t.Errorf("a part failed, and it ended with: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- together(ctx, waits, waits) }()
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("stopped as asked: %v", err)
	}
}
