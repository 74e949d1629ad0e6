package enforce

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptrace"
	"sync/atomic"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

var (
	// errRefused says that the server said no for good: nothing was done.
	errRefused = errors.New("the server refused it")
	// errAgain says that a request was not sent exactly once: what the server says of the
	// last time tells nothing of the time before.
	errAgain = errors.New("not sent exactly once")
)

// send makes one write and names how it ended: errConflict, errRefused, or an error whose
// outcome is open. The client sends again by itself when the server says Retry-After; then
// errAgain joins the last answer.
func send(ctx context.Context, write func(context.Context) error) error {
	var sent atomic.Int32
	err := write(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Add(1) }}))
	switch n := sent.Load(); {
	case err == nil:
		return nil
	case n != 1:
		return fmt.Errorf("%w: %d times; the last word: %w", errAgain, n, err)
	case definite(err):
		return fmt.Errorf("%w: %w", errRefused, err)
	}
	return err
}

// definite reports whether the API server itself, and nothing on the way to it, answered
// that a request is not carried out and will not be.
func definite(err error) bool {
	no := apierrors.IsNotFound(err) || apierrors.IsForbidden(err) || apierrors.IsBadRequest(err) || apierrors.IsGone(err) || apierrors.IsInvalid(err)
	return no && !errors.Is(err, errConflict) && !apierrors.IsUnexpectedServerError(err)
}

// refused makes the gate's no of the server's.
func refused(err error) *Refusal {
	if apierrors.IsNotFound(err) {
		return &Refusal{Rule: 6, Name: "re-verify", Text: fmt.Sprintf("it is gone, by another hand: %v", err)}
	}
	return &Refusal{Rule: 7, Name: "preconditions", Text: fmt.Sprintf("nothing was done: %v", err)}
}
