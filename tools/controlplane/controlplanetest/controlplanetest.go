// Package controlplanetest gives a test a control plane of its own.
//
// Purpose: one line in a test instead of the care for folders, programs and their end.
//
// Concurrency: tests that run in parallel each get a cluster.
//
// Guarantees: the cluster is gone when the test has ended.
//
// It will not: skip a test for any reason but -short, since a skipped test proves nothing.
package controlplanetest

import (
	"os"
	"testing"

	"github.com/k8guard/k8guard/tools/controlplane"
)

// Start starts a control plane with one fake node in a folder of the test. Under -short it
// skips the test. The first call on a machine builds the programs, which takes minutes.
func Start(t testing.TB) *controlplane.Cluster {
	t.Helper()
	return StartWith(t, controlplane.Options{})
}

// StartWith is Start with options, of which it sets Dir and Progress if they are not.
func StartWith(t testing.TB, o controlplane.Options) *controlplane.Cluster {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a control plane: left out under -short")
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Progress == nil {
		o.Progress = os.Stderr // a build shows while it runs, not when the test is over
	}
	cluster, err := controlplane.Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	return cluster
}
