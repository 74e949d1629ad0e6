package daemon

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// attributes: a detached child gets a session of its own; another dies with us, and has a
// process group of its own so that an interrupt at the terminal leaves its end to End.
func attributes(detached bool) *syscall.SysProcAttr {
	if detached {
		return &syscall.SysProcAttr{Setsid: true}
	}
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

func look(pid int) sight {
	state := stateOf(fmt.Sprintf("/proc/%d/stat", pid))
	if state == 0 || state == 'Z' || state == 'X' {
		return sight{}
	}
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return sight{}
	}
	return sight{exists: true, command: strings.ReplaceAll(string(text), "\x00", " ")}
}

// stopped says that no thread goes on: each stops by itself, some time after the signal.
func stopped(pid int) bool {
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		return false
	}
	for _, thread := range threads {
		if state := stateOf(thread); state != 'T' && state != 0 { // 0: ended meanwhile
			return false
		}
	}
	return len(threads) > 0
}

// stateOf reads the letter behind the program's name, which may itself hold brackets.
func stateOf(file string) byte {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	if at := bytes.LastIndexByte(text, ')') + 2; at >= 2 && at < len(text) {
		return text[at]
	}
	return 0
}
