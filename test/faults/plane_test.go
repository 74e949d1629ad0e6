// Package faults breaks one thing at a time around a running K8Guard, on a real control plane
// with a real mail server, and holds what it says and does against golden messages.
//
// Purpose: each fault of the safety list that needs no second service ends in nothing wrong
// done, nothing lost, and a message that names the object and the remedy.
//
// Concurrency: one control plane; the stories run side by side, each with a K8Guard, a
// ledger, a mail server and namespaces of its own.
//
// Guarantees: what was done is read from the API server's audit log and the mail server,
// never asked of K8Guard.
//
// It will not: run under -short. `go test ./test/faults -update` writes the golden files.
package faults

import (
	"flag"
	"os"
	"testing"

	"github.com/k8guard/k8guard/tools/stage"
	"github.com/k8guard/k8guard/tools/stage/stagetest"
)

var update = flag.Bool("update", false, "write the golden files anew") //nolint:gochecknoglobals // as go test wants it

// TestMain lets six stories run at once also on two processors: they mostly wait.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

// plane is the control plane that all stories share.
type plane struct {
	*stage.Stage
	ear *ear
}

// story is one fault, told in namespaces that begin with its name.
type story struct {
	name string
	tell func(*testing.T, plane)
}

func stories() []story {
	return []story{
		{"storm", storm}, {"undo-since", undoSince}, {"mail-slow", mailSlow}, {"restored", restored}, {"large", large}, // the long ones first
		{"mail-down", mailDown}, {"mail-4xx", mailLater}, {"mail-5xx", mailNever}, {"mail-dropped", mailDropped},
		{"disk-full", diskFull}, {"reload", reload}, {"blind", blind}, {"clock", clock}, {"webhook", webhook},
		{"undo-held", undoHeld}, {"no-hpa", noAutoscalers}, {"debug", debug}, {"rooms", besideMail}, {"slack-alone", slackAlone},
	}
}

func TestFaults(t *testing.T) {
	p := newPlane(t)
	t.Run("story", func(t *testing.T) {
		for _, s := range stories() {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				s.tell(t, p)
			})
		}
	})
	// It stops the API server of all: alone, and last.
	t.Run("server-down", func(t *testing.T) { serverDown(t, p) })
}

func newPlane(t *testing.T) plane {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a control plane: left out under -short")
	}
	s := stagetest.New(t, stage.Options{Progress: os.Stderr})
	return plane{s, newEar(t, s)}
}
