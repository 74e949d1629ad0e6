package app

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestStrangersHearLittleOfAStart: what it waits for may name servers.
func TestStrangersHearLittleOfAStart(t *testing.T) {
	for login, told := range map[bool]bool{true: false, false: true} {
		f := newFront(login)
		f.wait("the API server at 10.0.0.1 does not answer")
		for _, tc := range []struct {
			h    http.Handler
			told bool
		}{{f.pages(), told}, {f.local(), true}} {
			w := httptest.NewRecorder()
			tc.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://localhost/cases", http.NoBody))
			if w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "10.0.0.1") != tc.told || w.Header().Get("Content-Security-Policy") == "" {
				t.Errorf("login %v: %d %s %v", login, w.Code, w.Body, w.Header())
			}
			w = httptest.NewRecorder()
			if tc.h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://10.1.2.3/healthz", http.NoBody)); w.Code != http.StatusOK {
				t.Errorf("it is alive: %d", w.Code)
			}
		}
	}
}
