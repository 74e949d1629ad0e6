package action

import (
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify/wording"
)

// Who was told all warnings before enforcement was turned on gets one more, and can tell why.
func TestOneMoreWarningSaysWhy(t *testing.T) {
	w := toldBefore(t)
	w.pass(time.Hour)
	mails := w.mail.tries(docket.Warning)
	if len(mails) != 4 {
		t.Fatalf("%d mails, want three and one more", len(mails))
	}
	const why = "again: an act follows now, and no warning before named one"
	for i, m := range mails {
		said := ""
		for _, f := range wording.Fields(m.digest.Items[0], w.now()) {
			if f.Label == "Warning" {
				said = f.Value
			}
		}
		if again := strings.HasSuffix(said, "3 of 3, "+why); again != (i == 3) {
			t.Errorf("mail %d says %q", i+1, said)
		}
	}
	lines, err := w.ledger.History(t.Context(), w.docket("a").Key, 0, 100)
	must(t, err)
	told := 0
	for _, l := range lines {
		if strings.HasSuffix(l.Entry.Text, why) {
			told++
		}
	}
	if told != 1 {
		t.Errorf("%d lines of the history say so: %+v", told, lines)
	}
}
