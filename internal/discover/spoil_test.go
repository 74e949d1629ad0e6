package discover

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"time"
)

// longestLife of a stream, fault or not: a quiet one that never ended would draw no further
// faults. It must be long enough for a list.
const longestLife = 2 * time.Second

// faults stands between discover and a real API server and spoils what it answers.
type faults struct {
	next http.RoundTripper

	mu    sync.Mutex
	dice  *rand.Rand
	on    bool
	count map[string]int
}

func (f *faults) wrap(next http.RoundTripper) http.RoundTripper {
	f.next = next
	return f
}

// roll returns the fault of this request, or "", and after how many bytes or how long its
// answer breaks. Half of the requests are let through, or nothing would ever be read.
func (f *faults) roll(r *http.Request) (kind string, after int, life time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.on || strings.Contains(r.URL.Path, "/leases/") {
		return "", 0, 0
	}
	kinds := []string{"refused", "429", "500", "cut", "", "", ""}
	if strings.Contains(r.URL.RawQuery, "watch=") {
		kinds = append(kinds, "410", "hang", "cut", "cut")
	}
	kind = kinds[f.dice.IntN(len(kinds))]
	if kind != "" {
		f.count[kind]++
	}
	return kind, f.dice.IntN(200_000), time.Duration(f.dice.Int64N(int64(longestLife)))
}

func (f *faults) total() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.count {
		n += c
	}
	return n
}

func (f *faults) stop() map[string]int {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.on = false
	return f.count
}

// RoundTrip implements http.RoundTripper.
func (f *faults) RoundTrip(r *http.Request) (*http.Response, error) {
	kind, after, life := f.roll(r)
	switch kind {
	case "refused":
		return nil, errors.New("fault: connection refused")
	case "429":
		return statusOf(r, http.StatusTooManyRequests, "TooManyRequests"), nil
	case "500":
		return statusOf(r, http.StatusInternalServerError, "InternalError"), nil
	case "410":
		return statusOf(r, http.StatusGone, "Expired"), nil
	}
	response, err := f.next.RoundTrip(r)
	if err != nil || life == 0 {
		return response, err
	}
	b := &broken{ReadCloser: response.Body, left: after, hang: kind == "hang"}
	if kind == "" {
		b.left, life = 1<<40, longestLife+life
	}
	b.timer = time.AfterFunc(life, func() { _ = b.ReadCloser.Close() })
	response.Body = b
	return response, nil
}

func statusOf(r *http.Request, code int, reason string) *http.Response {
	body := fmt.Sprintf(`{"kind":"Status","apiVersion":"v1","status":"Failure","reason":%q,"code":%d,"message":"fault"}`, reason, code)
	return &http.Response{StatusCode: code, Status: reason, Request: r, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body))}
}

// broken is a stream that ends in the middle of a frame or of a silence; half-open, it is
// silent for a second first.
type broken struct {
	io.ReadCloser
	timer *time.Timer
	left  int
	hang  bool
}

func (b *broken) Read(p []byte) (int, error) {
	if b.left > 0 {
		n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
		b.left -= n
		if err == nil || errors.Is(err, io.EOF) {
			return n, err
		}
	}
	if b.hang {
		time.Sleep(time.Second)
	}
	return 0, io.ErrUnexpectedEOF
}

func (b *broken) Close() error {
	b.timer.Stop()
	return b.ReadCloser.Close()
}
