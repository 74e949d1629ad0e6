package faults

import (
	"testing"
	"time"

	"github.com/k8guard/k8guard/tools/mailsink"
)

const acted = "patch deployments/scale web"

// failing is a house whose mail server has the fault before there is anything to tell.
func failing(t *testing.T, p plane, ns string, f mailsink.Fault) *house {
	t.Helper()
	h := newHouse(t, p, ns, nil)
	h.fault(f)
	h.start()
	h.apply(privileged(ns, "web"))
	return h
}

func (h *house) fault(f mailsink.Fault) {
	h.t.Helper()
	if err := h.Mail.SetFault(f); err != nil {
		h.t.Fatal(err)
	}
}

// refused wants a definite failure: one notice, kept for another try under its number, and
// nothing confirmed or done. Mended, the ladder goes on to its end.
func (h *house) refused(golden string) {
	h.t.Helper()
	said := h.log(20*time.Second, "outcome=failed")
	time.Sleep(3 * time.Second) // longer than the ladder would take
	if n := h.notices(); len(n) != 1 || n[0].State == "sent" || h.mails() != 0 {
		h.t.Errorf("notices: %+v; %d mails", n, h.mails())
	}
	h.wantActs()
	h.golden(golden, "log: "+said)
	h.fault(mailsink.Fault{Mode: mailsink.OK})
	h.acted(30*time.Second, acted)
	if n := h.confirmed(); n < warnings || h.mails() < n {
		h.t.Errorf("%d confirmed, %d mails, and it acted", n, h.mails())
	}
}

func mailDown(t *testing.T, p plane) {
	failing(t, p, "mail-down", mailsink.Fault{Mode: mailsink.RefuseConn}).refused("mail-down")
}

func mailLater(t *testing.T, p plane) {
	failing(t, p, "mail-4xx", mailsink.Fault{Mode: mailsink.TempFail}).refused("mail-4xx")
}

func mailNever(t *testing.T, p plane) {
	failing(t, p, "mail-5xx", mailsink.Fault{Mode: mailsink.PermFail}).refused("mail-5xx")
}

// mailSlow: a server that takes longer than a try may. Whether it took the mail is unknown;
// it did, and reads it once.
func mailSlow(t *testing.T, p plane) {
	h := failing(t, p, "mail-slow", mailsink.Fault{Mode: mailsink.SlowReply, Delay: 40 * time.Second})
	said := h.log(50*time.Second, "outcome=unknown")
	h.fault(mailsink.Fault{Mode: mailsink.OK})
	h.wantActs()
	h.golden("mail-slow", "log: "+said)
	h.acted(30*time.Second, acted)
	if n := h.confirmed(); n < warnings {
		h.t.Errorf("%d confirmed, and it acted", n)
	}
}

// mailDropped: the server takes each mail and cuts the line instead of an answer. None
// counts, none is repeated, and after M of them a person is asked.
func mailDropped(t *testing.T, p plane) {
	h := failing(t, p, "mail-dropped", mailsink.Fault{Mode: mailsink.DropAfterData})
	plan := h.planned(40*time.Second, "web", "no more are sent")
	h.golden("mail-dropped", "log: "+h.log(time.Second, "outcome=unknown"), "plan: "+plan)
	time.Sleep(2 * time.Second) // time for one more
	h.wantActs()
	if n := h.mails(); n != tries || h.confirmed() != 0 {
		h.t.Errorf("%d mails, want %d; %d confirmed", n, tries, h.confirmed())
	}
	keys := map[string]bool{}
	for _, m := range h.Mail.Messages() {
		keys[m.Get("X-K8Guard-Notice")] = true
	}
	if len(keys) != tries {
		h.t.Errorf("%d different notices in %d mails", len(keys), tries)
	}
}
