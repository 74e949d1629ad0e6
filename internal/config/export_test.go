package config

import "time"

// Shortly is how a duration is printed.
func Shortly(d time.Duration) string { return shortly(d) }
