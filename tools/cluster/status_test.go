package main

import (
	"os/exec"
	"strings"
	"testing"
)

// What does not run is no error of make: whoever asks gets one line.
func TestMakeStatusOfNothingIsNoError(t *testing.T) {
	program, err := exec.LookPath("make")
	if err != nil {
		t.Skip("no make")
	}
	out, err := exec.CommandContext(t.Context(), program, "-C", "../..", "cluster-status").CombinedOutput()
	if said := strings.TrimSpace(string(out)); err != nil || !strings.Contains(said, "running") || strings.Contains(said, "Error") || strings.Contains(said, "exit status") {
		t.Errorf("%v: %s", err, said)
	}
}
