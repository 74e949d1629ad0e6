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
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(maxRetry/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(maxRetry, max(0, at.Sub(now)))
}
