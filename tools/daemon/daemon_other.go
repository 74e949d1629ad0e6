//go:build unix && !linux

package daemon

import (
	"os/exec"
	"strconv"
	"strings"
	"syscall"
)

func attributes(detached bool) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: detached, Setpgid: !detached}
}

func look(pid int) sight {
	state, command, _ := strings.Cut(ps(pid, "stat=,command="), " ")
	if state == "" || state[0] == 'Z' {
		return sight{}
	}
	return sight{exists: true, command: command}
}

func stopped(pid int) bool { return strings.HasPrefix(ps(pid, "stat="), "T") }

func ps(pid int, columns string) string {
	text, err := exec.Command("ps", "-ww", "-o", columns, "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(text))
}
