package post

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// maxRetry bounds how long a server may have us wait.
const maxRetry = 24 * time.Hour

// RetryAfter reads that header: seconds, or a date; 0 when there is none, it makes no sense, or
// is over. A server may not put a notice off for more than a day.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseUint(value, 10, 63); err == nil {
		if seconds > uint64(maxRetry/time.Second) {
			return maxRetry
		}
		return time.Duration(seconds) * time.Second //nolint:gosec // it is at most a day
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(maxRetry, max(0, at.Sub(now)))
}
