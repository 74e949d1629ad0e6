package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What was not looked at is said, and never passed over.
func TestADatabaseThatIsAwayIsSaid(t *testing.T) {
	away := httptest.NewServer(http.NotFoundHandler())
	defer away.Close()
	var out strings.Builder
	if code := check(&out, away.URL); code != 0 || !strings.Contains(out.String(), "LEFT OUT: govulncheck") || !strings.Contains(out.String(), "404") {
		t.Errorf("%d %s", code, out.String())
	}
	there := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer there.Close()
	if err := reachable(there.URL); err != nil {
		t.Error(err)
	}
}
