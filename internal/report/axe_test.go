package report_test

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
)

// pagesToCheck are all pages, the empty and the refusing ones too.
func pagesToCheck() []string {
	return []string{"/", "/cases", "/cases?status=standing&q=x", "/cases/c0001", "/cases/c0004", "/next", "/history", "/history?q=nginx&since=2026-05-04",
		"/owners", "/enforcement", "/enforcement?what=refused", "/enforcement?what=undone", "/budget", "/nowhere", "/cases?limit=x"}
}

// TestAxe checks every page with axe-core and by keyboard, in Chromium: make axe.
func TestAxe(t *testing.T) {
	if os.Getenv("K8GUARD_AXE") == "" {
		t.Skip("run make axe: it wants node, npm and Chromium")
	}
	s := httptest.NewServer(build(t, sample(80), &desk{stale: true}))
	defer s.Close()
	out, err := exec.CommandContext(t.Context(), "node", append([]string{"../../tools/axe/check.mjs", s.URL}, pagesToCheck()...)...).CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Error(err)
	}
}
