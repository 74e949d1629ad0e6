package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/stage"
)

// ear listens to the API server's audit log for all stories. It reads each line once: large
// objects are in it, and the stories ask often.
type ear struct {
	log    string
	config *rest.Config // of action's account

	mu    sync.Mutex // guards those below
	at    int64      // how far the log was read, to the end of a line
	heard []audit.Event
	asked int
}

func newEar(t *testing.T, s *stage.Stage) *ear {
	t.Helper()
	c, err := clientcmd.BuildConfigFromFlags("", s.Kubeconfig("k8guard-action"))
	if err != nil {
		t.Fatal(err)
	}
	return &ear{log: s.Cluster.AuditLog(), config: c}
}

// writes returns the mutating requests of action's account. A request of that account, made
// for it now, is in the log before it returns: so is what the account did before.
func (e *ear) writes(ctx context.Context) ([]audit.Event, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked++
	mark := rest.CopyConfig(e.config)
	mark.UserAgent = fmt.Sprintf("faults-mark/%d", e.asked)
	client, err := kubernetes.NewForConfig(mark)
	if err != nil {
		return nil, err
	}
	if _, err := client.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{}); err != nil {
		return nil, err
	}
	for {
		marked, err := e.listen(mark.UserAgent)
		if marked || err != nil {
			return e.heard, err
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("the audit log does not hold what was asked for it: %w", ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// listen reads what is new, and reports whether the mark is among it.
func (e *ear) listen(mark string) (marked bool, err error) {
	file, err := os.Open(e.log)
	if err != nil {
		return false, err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.NewSectionReader(file, e.at, 1<<40))
	if err != nil {
		return false, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	e.at += int64(len(text))
	for line := range bytes.Lines(text) {
		if !bytes.Contains(line, []byte(stage.ActionUser)) {
			continue
		}
		var one audit.Event
		if err := json.Unmarshal(line, &one); err != nil {
			return false, fmt.Errorf("the audit log: %w", err)
		}
		marked = marked || one.UserAgent == mark
		if one.User.Name == stage.ActionUser && audit.Mutating(one.Verb) && !strings.HasPrefix(one.UserAgent, "faults-mark/") {
			e.heard = append(e.heard, one)
		}
	}
	return marked, nil
}
