package judge

import (
	"regexp"
	"strings"

	"github.com/k8guard/k8guard/tools/mailsink"
)

// noticeHeader is how a mail names the notice that it carries.
const noticeHeader = "X-K8Guard-Notice"

// told is one mail as it arrived.
type told struct {
	mailsink.Message
	key   string
	cases []string // that it warns of
}

// readMail takes the cases that a mail warns of from its text, as its reader would.
func readMail(m mailsink.Message) told {
	link := regexp.MustCompile(`^\s+Link:\s+\S+/cases/(c-[0-9a-z]+)\s*$`)
	out := told{Message: m, key: m.Get(noticeHeader)}
	warnings := false
	for line := range strings.Lines(m.Text) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(line, "== ") {
			warnings = line == "== Warnings =="
		}
		if found := link.FindStringSubmatch(line); found != nil && warnings {
			out.cases = append(out.cases, found[1])
		}
	}
	return out
}
