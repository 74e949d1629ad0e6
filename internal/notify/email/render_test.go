package email

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/internal/notify/wording"
	"github.com/k8guard/k8guard/tools/mailsink"
)

// golden compares; UPDATE_GOLDEN=1 writes the files anew.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if os.Getenv("UPDATE_GOLDEN") != "" {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; got:\n%s", name, got)
	}
}

func everything() notify.Digest {
	d := notifytest.Sample("notice/email/7", []string{"a@example.com"})
	last := d.Items[0]
	last.N, last.NextStep, last.Lost, last.URL = 3, "scale to zero", []string{"emptyDir cache", "emptyDir tmp"}, "https://k8guard.example/cases/c2?a=1&b=2"
	last.Root.Name, last.NextAt = "api", at().AddDate(0, 0, 5)
	acted := d.Items[0]
	acted.Purpose, acted.Undo, acted.Lost = "enforced", "k8guard undo c3 --reason '…'", []string{"emptyDir cache"}
	acted.Done = "scaled to zero, from 3, on Tue, 24 Nov 2026 10:00:00 UTC"
	acted.N, acted.NextStep, acted.NextAt = 0, "", time.Time{}
	human, undone, clear := d.Items[0], d.Items[0], d.Items[0]
	human.Purpose, undone.Purpose, clear.Purpose = "needs-human", "undone", "resolved"
	undone.Done, undone.Back = acted.Done, "Deployment shop/web is back at 3 replicas, on Tue, 24 Nov 2026 11:00:00 UTC by ada: a mistake"
	human.Root = v1.Root{Kind: "Namespace", Name: "shop"}
	human.Human = "over budget: none of the round is done; it takes enforce.budget.floor 2"
	d.Items = append(d.Items, last, acted, human, undone, clear)
	return d
}

func rendered(t *testing.T, d notify.Digest) string {
	t.Helper()
	page, err := htmlBody(t.Context(), d, at())
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// many is the summary of a first start.
func many() notify.Digest {
	d := notifytest.Sample("n", []string{"a@example.com"})
	d.Items[0].N, d.Items[0].NextStep = 1, "warning 2 of 3"
	d.Summary, d.RestUntil = []notify.Count{{Rule: "IMAGE_REPO", Cases: 120}, {Rule: "PRIVILEGED", Cases: 3}}, at().AddDate(0, 0, 1)
	return d
}

func TestGolden(t *testing.T) {
	golden(t, "digest.txt", "Subject: "+subject(everything())+"\n\n"+textBody(everything(), at()))
	golden(t, "digest.html", rendered(t, everything()))
	h := notifytest.Hostile("n", nil)
	golden(t, "hostile.txt", textBody(h, at()))
	golden(t, "hostile.html", rendered(t, h))
	golden(t, "summary.txt", textBody(many(), at()))
	golden(t, "summary.html", rendered(t, many()))
}

func TestSubject(t *testing.T) {
	d := notifytest.Sample("n", nil)
	if got, want := subject(d), "[K8Guard] prod: 1 warning, next step 2026-11-25 10:00 UTC (notice 7)"; got != want {
		t.Errorf("got %q", got)
	}
	d.Items[0].N = 3
	d.Items = append(d.Items, d.Items[0], d.Items[0])
	d.Items[1].N, d.Items[1].NextAt = 1, at()
	if got, want := subject(d), "[K8Guard] prod: 3 warnings, first act 2026-11-25 10:00 UTC (notice 7)"; got != want {
		t.Errorf("got %q", got)
	}
}

func TestLongDigestIsCut(t *testing.T) {
	d := notifytest.Sample("n", nil)
	for i := range 70 {
		it := d.Items[0]
		it.Root.Name = fmt.Sprintf("app-%02d", i)
		d.Items = append(d.Items, it)
	}
	text := textBody(d, at())
	if n := strings.Count(text, "  * "); n != notify.MaxItems || !strings.Contains(text, "… and 21 more") || !strings.Contains(text, "Report: https://") {
		t.Errorf("%d items shown of 71:\n%s", n, text[len(text)-200:])
	}
}

func TestSameDigestSameID(t *testing.T) {
	c := channel(t, configured())
	id := func(d string) string {
		raw, err := c.compose(t.Context(), notifytest.Sample(d, nil), []string{"a@example.com"})
		if err != nil {
			t.Fatal(err)
		}
		m, err := mailsink.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		return m.Get("Message-Id")
	}
	first, again, other := id("a"), id("a"), id("b")
	if first != again || first == other || first == "" {
		t.Errorf("got %s, %s, %s", first, again, other)
	}
}

// A command in a mail says where it is typed, and where there is a page with a button, that too.
// What is resolved needs no fix.
func TestACommandInAMailSaysWhere(t *testing.T) {
	for _, url := range []string{"", "https://k8guard.example/cases/c1"} {
		for purpose, want := range map[string]string{"needs-human": "k8guard ack c1 --reason ...", "enforced": "the platform team undoes it, ", "resolved": ""} {
			it := notify.Item{Case: "c1", Purpose: purpose, Undo: "k8guard undo c1", URL: url, Remedy: "Use another."}
			var text string
			for _, f := range wording.Fields(it, at()) {
				text += f.Label + ": " + f.Value + "\n"
			}
			if purpose == "resolved" {
				if strings.Contains(text, "Fix:") || strings.Contains(text, "on the host") {
					t.Errorf("%s:\n%s", purpose, text)
				}
				continue
			}
			if !strings.Contains(text, want) || !strings.Contains(text, "on the host of K8Guard") || strings.Contains(text, "by the button on its page (Link)") != (url != "") || !strings.Contains(text, "Fix: ") {
				t.Errorf("%s, %q:\n%s", purpose, url, text)
			}
		}
	}
}

func TestOneRecipientIsOne(t *testing.T) {
	for n, want := range map[int]string{1: "1 recipient", 2: "2 recipients"} {
		if got := recipients(n); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
