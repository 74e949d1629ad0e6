package faults

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// large: deployments with a megabyte of arguments each. They are judged; only the one that
// violates is acted on, and neither memory nor the pages grow with them.
func large(t *testing.T, p plane) {
	h := newHouse(t, p, "large", nil)
	h.start()
	h.apply(privileged(h.ns, "small"))
	h.acted(30*time.Second, "patch deployments/scale small")
	before := h.peak()
	args := fmt.Sprintf("[%q]", strings.Repeat("<b>x ", 200_000))
	for i := range 4 {
		h.apply(deployment(h.ns, fmt.Sprintf("clean-%d", i), false, 2, args))
	}
	h.apply(deployment(h.ns, "web", true, 2, args))
	h.until(40*time.Second, "the large one that violates is acted on", func() bool { return len(h.acts()) == 2 })
	time.Sleep(2 * time.Second)
	h.wantActs("patch deployments/scale small", acted)
	after := h.peak()
	t.Logf("peak of memory: %d MB before, %d MB with five deployments of 1 MB", before, after)
	if after-before > 200 {
		t.Errorf("memory grew from %d to %d MB", before, after)
	}
	row := h.rows("web")[0]
	h.golden("large", fmt.Sprintf("case: %s of %s: %s, %s at %s", row.Case.Rule, row.Root, row.Case.Source, row.Case.Message, row.Case.Path))
	for _, page := range []string{"/", "/cases", "/cases/" + h.rows("web")[0].ID, "/api/v1/cases/" + h.rows("web")[0].ID} {
		if n := h.page(page); n > 200_000 {
			t.Errorf("%s has %d bytes", page, n)
		}
	}
}

// peak is the most memory that the process ever had, in MB.
func (h *house) peak() int {
	h.t.Helper()
	used, err := h.run.Usage()
	if err != nil {
		h.t.Skip("reads a process's memory from /proc: ", err)
	}
	return used.Most
}

// processor is the time that the process has had of it, in hundredths of a second.
func (h *house) processor() time.Duration {
	h.t.Helper()
	used, err := h.run.Usage()
	if err != nil {
		h.t.Skip("reads a process's time from /proc: ", err)
	}
	return used.Processor
}

// page reads one from the report and returns its length.
func (h *house) page(path string) int {
	h.t.Helper()
	r, err := http.Get(h.Config.Report.URL + path)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		h.t.Errorf("%s: %s, %v", path, r.Status, err)
	}
	return len(text)
}
