// Package servicestest gives a test a real server of its own.
//
// Purpose: one line in a test instead of the care for folders, programs and their end.
//
// Concurrency: tests that run in parallel each get a server.
//
// Guarantees: the server is gone when the test has ended. A test that is left out for want
// of a program says which, and is counted in the file that K8GUARD_LEFT_OUT names; where CI
// is true, it fails.
//
// It will not: share a server between tests.
package servicestest

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"

	"github.com/k8guard/k8guard/tools/services"
)

const leftOutVariable = "K8GUARD_LEFT_OUT"

// Start starts a service with one node and without security in a folder of the test. Under
// -short it skips the test.
func Start(t testing.TB, kind services.Kind) *services.Service {
	t.Helper()
	return StartWith(t, kind, services.Options{})
}

// StartWith is Start with options, of which it sets Dir and Progress if they are not.
func StartWith(t testing.TB, kind services.Kind, o services.Options) *services.Service {
	t.Helper()
	if testing.Short() {
		t.Skipf("starts %s: left out under -short", kind)
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Progress == nil {
		o.Progress = t.Output()
	}
	service, err := services.Start(t.Context(), kind, o)
	if missing := (*services.MissingError)(nil); errors.As(err, &missing) {
		LeaveOut(t, missing)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := service.Stop(); err != nil {
			t.Error(err)
		}
	})
	return service
}

// LeaveOut skips the test where a person develops, and fails it where all must be there.
func LeaveOut(t testing.TB, missing error) {
	t.Helper()
	if ci, _ := strconv.ParseBool(os.Getenv("CI")); ci {
		t.Fatal(missing)
	}
	if name := os.Getenv(leftOutVariable); name != "" {
		file, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatalf("count a test that is left out, %s: %v", leftOutVariable, err)
		}
		_, err = fmt.Fprintf(file, "%s: %v\n", t.Name(), missing)
		if err = errors.Join(err, file.Close()); err != nil {
			t.Fatalf("count a test that is left out, %s: %v", leftOutVariable, err)
		}
	}
	t.Skipf("LEFT OUT: %v", missing)
}
