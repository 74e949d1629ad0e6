package faults

import (
	"strings"
	"testing"
	"time"
)

// undoHeld: after the ingress was deleted somebody makes one of its name, with a finalizer,
// and deletes it: it is held. The undo stops, says so, and can be asked again.
func undoHeld(t *testing.T, p plane) {
	h := newHouse(t, p, "undo-held", nil)
	h.start()
	h.apply(openIngress(h.ns, "web"))
	h.acted(30*time.Second, "delete ingresses web")
	h.until(10*time.Second, "the case is acted", func() bool { return len(h.rows("web")) == 1 && h.rows("web")[0].Status == "acted" })
	id := h.rows("web")[0].ID
	held := strings.Replace(openIngress(h.ns, "web"), "namespace: undo-held", `namespace: undo-held, finalizers: ["stage.example/hold"]`, 1)
	h.apply(held)
	h.kubectl("-n", h.ns, "delete", "ingress", "web", "--wait=false")
	_, err := h.Command(t.Context(), "undo", id, "--reason", "the team asks")
	if err == nil {
		t.Fatal("an undo over a held ingress succeeded")
	}
	_, said, _ := strings.Cut(err.Error(), "exit status 2: ")
	h.golden("undo-held", "undo: "+said)
	h.kubectl("-n", h.ns, "patch", "ingress", "web", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
	h.until(10*time.Second, "the held ingress is gone", func() bool {
		_, err := p.Cluster.Kubectl(t.Context(), "-n", h.ns, "get", "ingress", "web")
		return err != nil
	})
	if out, err := h.Command(t.Context(), "undo", id, "--reason", "the team asks"); err != nil {
		t.Fatal(out, err)
	}
	h.wantActs("delete ingresses web", "create ingresses web")
}
