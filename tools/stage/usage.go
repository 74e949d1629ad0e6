package stage

import (
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Usage is what the kernel says of a process: memory in MB, processor time in steps of a
// hundredth of a second.
type Usage struct {
	Resident, Most int // now, and at most so far
	Own            int // of what is resident, what is not of mapped files
	Processor      time.Duration
}

func (u Usage) String() string {
	return fmt.Sprintf("%d MB resident, %d at most, %d of its own, %s of processor time", u.Resident, u.Most, u.Own, u.Processor)
}

// Usage reads it from /proc, which Linux alone has.
func (p *Process) Usage() (u Usage, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		return u, fmt.Errorf("read what K8Guard uses: %w", err)
	}
	for name, to := range map[string]*int{"VmRSS": &u.Resident, "VmHWM": &u.Most, "RssAnon": &u.Own} {
		found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
		if found == nil {
			return u, fmt.Errorf("read what K8Guard uses: no %s in its status", name)
		}
		if *to, err = strconv.Atoi(string(found[1])); err != nil {
			return u, fmt.Errorf("read what K8Guard uses: %w", err)
		}
		*to /= 1024
	}
	u.Processor, err = p.processor()
	return u, err
}

// processor is the time of the program, and of the system for it.
func (p *Process) processor() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.Pid()))
	if err != nil {
		return 0, fmt.Errorf("read what K8Guard uses: %w", err)
	}
	_, after, _ := strings.Cut(string(text), ") ") // the program's name may hold anything
	fields, all := strings.Fields(after), 0
	if len(fields) < 13 {
		return 0, fmt.Errorf("read what K8Guard uses: %q", text)
	}
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, fmt.Errorf("read what K8Guard uses: %w", err)
		}
		all += n
	}
	return time.Duration(all) * 10 * time.Millisecond, nil
}
