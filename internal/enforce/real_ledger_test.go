package enforce_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/control"
	"github.com/k8guard/k8guard/internal/enforce"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
)

// looks wants that a look at the cluster finds the ledger in order, or says the text; then the
// breaker is open for the ledger.
func (h *house) looks(holder, says string) {
	h.t.Helper()
	err := h.process(holder, nil).CheckLedger(h.t.Context())
	switch b := must(h.control.Breakers(h.t.Context())); {
	case says == "" && (err != nil || b.Doubted("test")):
		h.t.Errorf("%v, breakers %+v", err, b)
	case says != "" && (err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(b.On("test").Reason, says) || !b.Doubted("test")):
		h.t.Errorf("%v, breakers %+v, want %q", err, b, says)
	}
}

// shows is what the Lease says: whose ledger, and how far it is.
func (h *house) shows() string {
	h.t.Helper()
	a := must(h.p.admin.CoordinationV1().Leases("k8guard").Get(h.t.Context(), enforce.LeaseName, metav1.GetOptions{})).Annotations
	return a["k8guard.io/ledger"] + "/" + a["k8guard.io/sequence"]
}

// swap stops the ledger and puts the file in its place, or none; it returns the one before.
func (h *house) swap(file string) (before string) {
	h.t.Helper()
	if err := h.ledger.Close(); err != nil {
		h.t.Fatal(err)
	}
	before, h.file = h.file, filepath.Join(h.t.TempDir(), "ledger.db")
	if file != "" {
		text := must(os.ReadFile(file))
		if err := os.WriteFile(h.file, text, 0o600); err != nil {
			h.t.Fatal(err)
		}
	}
	h.ledger = must(sqlite.Open(h.t.Context(), h.file, time.Now))
	h.control = control.New(h.ledger, time.Now)
	return before
}

// controlShown: a first start is not held, each look shows more, and many at once do no harm.
func controlShown(t *testing.T, p *plane) {
	h := newHouse(t, p)
	for n := range 3 {
		h.looks("first", "")
		if want := fmt.Sprintf("first/%d", n+1); h.shows() != want {
			t.Errorf("it shows %s, want %s", h.shows(), want)
		}
	}
	var all sync.WaitGroup
	for n := range 6 {
		all.Go(func() { h.looks(fmt.Sprint("replica-", n), "") })
	}
	all.Wait()
	if h.shows() != "first/9" {
		t.Errorf("it shows %s", h.shows())
	}
	h.deploy()
	h.act(nil)
	h.wantReplicas(0)
	if h.shows() != "first/10" {
		t.Errorf("it shows %s after an act", h.shows())
	}
}

// controlAccepted: a ledger that is put back is noticed by one look, a person takes it, and
// once only.
func controlAccepted(t *testing.T, p *plane) {
	h := newHouse(t, p)
	h.looks("first", "")
	old := h.swap("")
	h.looks("second", "another ledger (first)")
	h.looks("third", "--cluster test --accept-ledger")
	if h.shows() != "first/1" {
		t.Fatalf("it shows %s", h.shows())
	}
	accept := func() {
		if err := h.control.Accept(t.Context(), "test", "bob", "the ledger is lost"); err != nil {
			t.Fatal(err)
		}
	}
	accept()
	h.looks("third", "")
	if h.shows() != "third/1" { // it has no name before it is taken
		t.Errorf("it shows %s", h.shows())
	}
	h.looks("third", "")
	second := h.swap(old)
	h.looks("fourth", "another ledger (third)")
	accept()
	h.looks("fourth", "")
	// What was accepted of one state is no answer to a later one.
	h.swap(second)
	h.looks("fifth", "another ledger (first)")
	accept()
	h.looks("fifth", "")
	older := h.swap(second)
	h.looks("sixth", "the ledger fell back")
	accept()
	h.looks("sixth", "")
	h.swap(older)
	h.looks("seventh", "the ledger fell back")
	h.deploy()
	h.refusing(10, "")
	accept()
	h.act(nil)
	h.wantReplicas(0)
}
