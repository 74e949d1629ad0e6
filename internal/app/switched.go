package app

import "github.com/k8guard/k8guard/internal/control"

// switched logs a switch that was changed here: what stops, or allows, every act must be seen
// where the process is watched, not in the report alone.
func (in *instance) switched(e control.Event) {
	attrs := in.named("reason", e.Reason)
	if e.Scope != "" {
		attrs = append(attrs, "scope", e.Scope)
	}
	if e.By != "" {
		attrs = append(attrs, "by", e.By)
	}
	switch e.What {
	case control.EventFrozen:
		in.Log.Warn("enforcement is frozen", attrs...)
	case control.EventUnfrozen:
		in.Log.Warn("a freeze is lifted", attrs...)
	case control.EventTripped:
		in.Log.Error("the circuit breaker opened", append(attrs, "next", `find out why, then k8guard breaker close --reason "...", with --accept-ledger where the reason says so`)...)
	case control.EventClosed:
		in.Log.Warn("the circuit breaker is closed", attrs...)
	}
}
