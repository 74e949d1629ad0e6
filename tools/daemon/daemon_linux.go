package daemon

import (
	"fmt"
	"os"
	"strings"
	"syscall"
)

// attributes: a detached child gets a session of its own; another dies with us, and has a
// process group of its own so that an interrupt at the terminal leaves its end to Stop.
func attributes(detached bool) *syscall.SysProcAttr {
	if detached {
		return &syscall.SysProcAttr{Setsid: true}
	}
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// commandLine of a process; empty if there is none, or only its remains.
func commandLine(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return ""
	}
	return strings.ReplaceAll(string(text), "\x00", " ")
}
