// Package crash names the places where a test may kill or pause the process.
//
// Purpose: what a restart must settle is proven by dying at the worst moment, on purpose.
//
// Concurrency: [At] may be called from any goroutine.
//
// Guarantees: without the build tag "faults", [At] is empty and costs nothing.
//
// It will not: run deferred calls, flush anything or return an error; the kill is SIGKILL, and
// a pause SIGSTOP.
package crash

// The named points.
const (
	BeforeLedger = "before-ledger"
	AfterLedger  = "after-ledger"
	BeforeSend   = "before-send"
	AfterSend    = "after-send"
	BeforeAct    = "before-act"
	AfterAct     = "after-act"
	MidUndo      = "mid-undo"
	AfterUndo    = "after-undo"
)

// Points lists every name that [At] is called with.
func Points() []string {
	return []string{BeforeLedger, AfterLedger, BeforeSend, AfterSend, BeforeAct, AfterAct, MidUndo, AfterUndo}
}
