//go:build faults

package crash

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// stopTakes is more than the kernel needs until every thread stands: whoever called goes on no
// earlier than when the process is continued.
const stopTakes = 100 * time.Millisecond

// killed and paused count per process; a crash point is global by nature.
var killed, paused atomic.Int64

// At kills the process with SIGKILL if K8GUARD_CRASH_AT is name, or at the Nth time if it
// is "name:N". K8GUARD_PAUSE_AT is the same for SIGSTOP: it goes on when somebody continues it.
func At(name string) {
	if reached("K8GUARD_PAUSE_AT", name, &paused) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		time.Sleep(stopTakes)
	}
	if reached("K8GUARD_CRASH_AT", name, &killed) {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func reached(variable, name string, passed *atomic.Int64) bool {
	wanted, count, _ := strings.Cut(os.Getenv(variable), ":")
	if wanted != name {
		return false
	}
	nth, err := strconv.ParseInt(count, 10, 64)
	if err != nil || nth < 1 {
		nth = 1
	}
	return passed.Add(1) == nth
}
