// Package stagetest gives a test a stage of its own.
//
// Purpose: a control plane, a mail server and the product, in a folder that is gone after the
// test, and stays where it failed.
//
// Concurrency: each stage is one test's.
//
// Guarantees: the stage is stopped before its folder is removed; what cannot be stopped or removed
// fails the test.
//
// It will not: run K8Guard, or skip a test.
package stagetest

import (
	"os"
	"testing"

	"github.com/k8guard/k8guard/tools/stage"
)

// New starts a stage, with the product built with these tags. Where the options name no folder
// it is [Folder]'s.
func New(t *testing.T, o stage.Options, tags ...string) *stage.Stage {
	t.Helper()
	if o.Dir == "" {
		o.Dir = Folder(t)
	}
	s, err := stage.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.BuildProduct(t.Context(), tags...); err != nil {
		t.Fatal(err)
	}
	return s
}

// Folder is one with a path that is short enough for a socket; it stays when the test fails.
func Folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "k8guard-") //nolint:usetesting // the path of t.TempDir is too long, and it goes also when the test failed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what is left of it lies in %s", dir)
			return
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}
