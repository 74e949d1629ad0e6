//go:build faults

package crash

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
)

// passed counts per process; a crash point is global by nature.
var passed atomic.Int64

// At kills the process with SIGKILL if K8GUARD_CRASH_AT is name, or at the Nth time if it
// is "name:N".
func At(name string) {
	wanted, count, _ := strings.Cut(os.Getenv("K8GUARD_CRASH_AT"), ":")
	if wanted != name {
		return
	}
	nth, err := strconv.ParseInt(count, 10, 64)
	if err != nil || nth < 1 {
		nth = 1
	}
	if passed.Add(1) == nth {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}
