package post

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
)

// RetryAfter reads that header: seconds, or a date; 0 when there is none, it makes no sense, or
// is over. A server may not put a notice off for more than a day.
func RetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		return time.Duration(min(max(seconds, 0), int64(notify.MaxPause/time.Second))) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(notify.MaxPause, max(0, at.Sub(now)))
}
