package notifytest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/k8guard/k8guard/internal/notify"
)

func confirmed(t *testing.T, setup Setup) {
	ch, rec := setup(t)
	rec.Behave(Works)
	to := rec.Facts().To
	out := send(t, ch, rec, Sample("notice/one", to))
	want(t, out, notify.Confirmed, rec, 1)
	if want := rec.Facts().accepted(); !slices.Equal(out.Accepted, want) {
		t.Errorf("accepted %v, want %v", out.Accepted, want)
	}
	if got := rec.Received(); len(got) == 1 {
		if want := rec.Facts().accepted(); got[0].ID != rec.Facts().id("notice/one") || !slices.Equal(got[0].To, want) {
			t.Errorf("recorded as %q to %v, want %q to %v", got[0].ID, got[0].To, rec.Facts().id("notice/one"), want)
		}
		for _, word := range []string{"Image from an unapproved registry", "IMAGE_REPO", "web", "Use an approved registry."} {
			if !strings.Contains(got[0].Text, word) {
				t.Errorf("the reader does not see %q", word)
			}
		}
	}
}

func fails(t *testing.T, setup Setup, b Behaviour) {
	ch, rec := setup(t)
	rec.Behave(b)
	want(t, send(t, ch, rec, Sample("notice/failed", rec.Facts().To)), notify.Failed, rec, 0)
	rec.Behave(Works)
	want(t, send(t, ch, rec, Sample("notice/failed", rec.Facts().To)), notify.Confirmed, rec, 1)
}

func unknown(t *testing.T, setup Setup) {
	ch, rec := setup(t)
	rec.Behave(CutAfter)
	want(t, send(t, ch, rec, Sample("notice/cut", rec.Facts().To)), notify.Unknown, rec, 1)
}

func hostile(t *testing.T, setup Setup) {
	ch, rec := setup(t)
	rec.Behave(Works)
	want(t, send(t, ch, rec, Hostile("notice/hostile\r\nX-Evil: 1", rec.Facts().To)), notify.Confirmed, rec, 1)
	for _, got := range rec.Received() {
		if got.Escapes != "" {
			t.Errorf("broke out: %s", got.Escapes)
		}
		if want := rec.Facts().accepted(); !slices.Equal(got.To, want) {
			t.Errorf("went to %v, want %v", got.To, want)
		}
		if i := strings.IndexFunc(got.Text, forbidden); i >= 0 {
			t.Errorf("a control or bidirectional character is shown at %d: %q", i, got.Text[i:min(i+20, len(got.Text))])
		}
		if len(got.Text) > 20_000 {
			t.Errorf("a field is not bounded: %d bytes", len(got.Text))
		}
	}
}

func forbidden(r rune) bool {
	return r != '\n' && r != '\r' && unicode.In(r, unicode.Cc, unicode.Cf)
}

func stalls(t *testing.T, setup Setup) {
	ch, rec := setup(t)
	rec.Behave(Stall)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	out := ch.Send(ctx, Sample("notice/stalled", rec.Facts().To))
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("came back after %s, the context ended after 300 ms", took)
	}
	if out.State == notify.Confirmed {
		t.Error("confirmed, and the server said nothing")
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	rec.Behave(Works)
	want(t, ch.Send(gone, Sample("notice/cancelled", rec.Facts().To)), notify.Failed, rec, 0)
}

func nobody(t *testing.T, setup Setup) {
	ch, rec := setup(t)
	rec.Behave(Works)
	if rec.Facts().Place != "" { // a room hears of what nobody owns
		want(t, send(t, ch, rec, Sample("notice/nobody", nil)), notify.Confirmed, rec, 1)
		return
	}
	want(t, send(t, ch, rec, Sample("notice/nobody", nil)), notify.Failed, rec, 0)
}
