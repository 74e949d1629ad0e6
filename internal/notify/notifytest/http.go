package notifytest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
)

// HTTPSetup makes a channel that speaks HTTP, and the server it talks to.
type HTTPSetup func(t *testing.T) (notify.Channel, Recorder, *Server)

// RunHTTP proves the contract, and what is promised of every channel that speaks HTTP.
func RunHTTP(t *testing.T, setup HTTPSetup) {
	Run(t, func(t *testing.T) (notify.Channel, Recorder) {
		ch, rec, _ := setup(t)
		return ch, rec
	})
	t.Run("a status says what is known", func(t *testing.T) { statuses(t, setup) })
	t.Run("Retry-After is obeyed", func(t *testing.T) { retryAfter(t, setup) })
	t.Run("a redirect is not followed", func(t *testing.T) { redirected(t, setup) })
	t.Run("an endless answer is not read", func(t *testing.T) { endless(t, setup) })
	t.Run("a secret that comes back is not shown", func(t *testing.T) { echoed(t, setup) })
}

func statuses(t *testing.T, setup HTTPSetup) {
	for code, want := range map[int]notify.OutcomeState{400: notify.Failed, 401: notify.Failed, 403: notify.Failed, 404: notify.Failed, 413: notify.Failed,
		429: notify.Failed, 501: notify.Failed, 500: notify.Unknown, 502: notify.Unknown, 503: notify.Unknown, 504: notify.Unknown} {
		ch, rec, server := setup(t)
		server.Reply(func(w http.ResponseWriter, _ Request) { w.WriteHeader(code) })
		out := send(t, ch, rec, Sample("notice/status", rec.Facts().To))
		if out.State != want || !strings.Contains(out.Detail, fmt.Sprint(code)) || len(out.Accepted) > 0 {
			t.Errorf("%d: %+v, want %s", code, out, want)
		}
	}
}

func retryAfter(t *testing.T, setup HTTPSetup) {
	date := time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat)
	for value, between := range map[string][2]time.Duration{"7": {7 * time.Second, 7 * time.Second}, date: {time.Minute, 90 * time.Second},
		"99999999999999999999": {0, 24 * time.Hour}, "100000000": {24 * time.Hour, 24 * time.Hour}, "-5": {}, "soon": {}, "": {},
		"Mon, 02 Jan 2006 15:04:05 GMT": {}} {
		for _, code := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
			ch, rec, server := setup(t)
			server.Reply(func(w http.ResponseWriter, _ Request) {
				w.Header().Set("Retry-After", value)
				w.WriteHeader(code)
			})
			out := send(t, ch, rec, Sample("notice/later", rec.Facts().To))
			want := notify.Failed
			if code == http.StatusServiceUnavailable && out.RetryAfter == 0 {
				want = notify.Unknown // a proxy says so too, of what was delivered
			}
			if out.State != want || out.RetryAfter < between[0] || out.RetryAfter > between[1] {
				t.Errorf("%d, Retry-After %q: %+v, want %v", code, value, out, between)
			}
		}
	}
}

func redirected(t *testing.T, setup HTTPSetup) {
	asked := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer elsewhere.Close()
	ch, rec, server := setup(t)
	for _, code := range []int{301, 302, 303, 307, 308} {
		server.Reply(func(w http.ResponseWriter, _ Request) {
			w.Header().Set("Location", elsewhere.URL)
			w.WriteHeader(code)
		})
		if out := send(t, ch, rec, Sample("notice/moved", rec.Facts().To)); out.State != notify.Failed || asked {
			t.Errorf("%d: %+v, followed %v", code, out, asked)
		}
	}
}

func endless(t *testing.T, setup HTTPSetup) {
	ch, rec, server := setup(t)
	server.Reply(func(w http.ResponseWriter, _ Request) {
		_, _ = io.WriteString(w, `{"ok":true,"channel":"C","ts":"1.1","message":"`) // what a careless reader reads to its end
		for page := strings.Repeat("x", 1<<16); ; {
			if _, err := io.WriteString(w, page); err != nil {
				return
			}
		}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ch.Send(ctx, Sample("notice/endless", rec.Facts().To))
	if ctx.Err() != nil {
		t.Error("it was read for as long as it lasted")
	}
}

// echoed has a hostile server say back all that it got, in every place that an answer has.
func echoed(t *testing.T, setup HTTPSetup) {
	for _, code := range []int{200, 400, 429, 500} {
		ch, rec, server := setup(t)
		server.Reply(func(w http.ResponseWriter, r Request) {
			all := fmt.Sprint(r.Path, " ", r.Header, " ", string(r.Body))
			w.Header().Set("X-Echo", strings.ReplaceAll(all, "\n", " "))
			w.Header().Set("Retry-After", r.Header.Get("Authorization"))
			w.WriteHeader(code)
			_, _ = fmt.Fprintf(w, `{"ok":false,"error":%q,"message":%q}`, rec.Facts().Secret, all)
		})
		send(t, ch, rec, Sample("notice/echo", rec.Facts().To)) // it judges the outcome
	}
}
