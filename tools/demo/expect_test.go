package main

import (
	"strings"
	"testing"
)

func TestAMailToAStrangerIsADifference(t *testing.T) {
	e := expectation{Mails: []expectedMail{{To: "ada@example.com", Warnings: 1}}}
	mails := []mailSeen{{to: "ada@example.com", warns: true}}
	if wrong := e.compare(nil, mails); len(wrong) != 0 {
		t.Errorf("as expected, and found: %q", wrong)
	}
	for _, to := range []string{"eve@example.com", "ada@example.com,eve@example.com", ""} {
		wrong := e.compare(nil, append(mails, mailSeen{to: to, warns: true, subject: "a warning"}))
		if len(wrong) != 1 || !strings.Contains(wrong[0], "to "+to+", to whom none is expected") {
			t.Errorf("%q: %q", to, wrong)
		}
	}
}

func TestUndoneInASubject(t *testing.T) {
	for subject, want := range map[string]int{
		"[K8Guard] demo: 1 acted on, 2 undone (notice 5)": 2, "[K8Guard] demo: 1 undone, 3 resolved": 1,
		"[K8Guard] demo: 3 warnings, first act 2026": 0, "undone": 0, "": 0,
	} {
		if got := undoneIn(subject); got != want {
			t.Errorf("%q says %d undone, want %d", subject, got, want)
		}
	}
}
