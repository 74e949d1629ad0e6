package cassandra_test

import (
	"math"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The outcomes of an operation, as its caller knows them.
const (
	stored  = "stored"
	denied  = "denied"  // a conflict: it was not stored and never will be
	failed  = "failed"  // another error, which promises the same
	unknown = "unknown" // it may be stored, now or at any time later
)

// claim is one operation on a docket or record: a write upon a version, or a read of what
// is there.
type claim struct {
	write   bool
	version int64 // the one that is written upon, or was read
	text    string
}

// cell is a docket or record: its version, and the text of who wrote it.
type cell struct {
	version int64
	text    string
}

// register is what a docket or record promises to be, whichever replica is asked.
func register() porcupine.Model {
	return porcupine.Model{
		Init: func() any { return cell{} },
		Step: func(state, input, _ any) (bool, any) {
			is, c := state.(cell), input.(claim)
			if c.write {
				return is.version == c.version, cell{c.version + 1, c.text}
			}
			return is == cell{c.version, c.text}, is
		},
	}
}

// story is a history without what only makes the search long. Each text is written once, and
// whoever writes upon a version has read it, so nothing is decided by guessing: a write of
// unknown outcome whose text was read was stored, before that read ended, and one whose text
// nobody read is as good as never. What was denied or failed is promised to leave no trace;
// if its text is read, no write is left in the story that explains it.
func story(history []porcupine.Operation) []porcupine.Operation {
	read := map[string]int64{}
	for _, op := range history {
		c := op.Input.(claim)
		if at, ok := read[c.text]; !c.write && (!ok || op.Return < at) {
			read[c.text] = op.Return
		}
	}
	var all []porcupine.Operation
	for _, op := range history {
		c := op.Input.(claim)
		at, seen := read[c.text]
		switch {
		case op.Output == unknown && seen:
			op.Return = max(at, op.Call)
		case op.Output != stored:
			continue
		}
		all = append(all, op)
	}
	return all
}

// operation is one claim in a history; what is unknown has no end.
func operation(c claim, outcome string, call, end time.Duration) porcupine.Operation {
	if outcome == unknown {
		end = math.MaxInt64
	}
	return porcupine.Operation{Input: c, Output: outcome, Call: int64(call), Return: int64(end)}
}

// A checker that refuses nothing proves nothing.
func TestTheModelRefuses(t *testing.T) {
	type step struct {
		claim
		outcome   string
		call, end time.Duration
	}
	read := func(version int64, text string, call time.Duration) step {
		return step{claim{false, version, text}, stored, call, call + 1}
	}
	write := func(upon int64, text, outcome string, call time.Duration) step {
		return step{claim{true, upon, text}, outcome, call, call + 5}
	}
	for name, c := range map[string]struct {
		history []step
		want    porcupine.CheckResult
	}{
		"one after the other":             {[]step{write(0, "a", stored, 0), read(1, "a", 10), write(1, "b", stored, 20), read(2, "b", 30)}, porcupine.Ok},
		"two winners":                     {[]step{write(0, "a", stored, 0), write(0, "b", stored, 0)}, porcupine.Illegal},
		"a conflict that was stored":      {[]step{write(0, "a", denied, 0), read(1, "a", 10)}, porcupine.Illegal},
		"a failure that was stored":       {[]step{write(0, "a", failed, 0), read(1, "a", 10)}, porcupine.Illegal},
		"what was acknowledged is gone":   {[]step{write(0, "a", stored, 0), read(0, "", 10)}, porcupine.Illegal},
		"what was read is gone":           {[]step{write(0, "a", unknown, 0), read(1, "a", 10), read(0, "", 20)}, porcupine.Illegal},
		"unknown, and stored later":       {[]step{write(0, "a", unknown, 0), read(0, "", 10), read(1, "a", 20), write(1, "b", stored, 30)}, porcupine.Ok},
		"unknown, and never stored":       {[]step{write(0, "a", unknown, 0), read(0, "", 10), write(0, "b", stored, 20), read(1, "b", 30)}, porcupine.Ok},
		"unknown, and stored twice":       {[]step{write(0, "a", unknown, 0), read(1, "a", 10), write(1, "b", stored, 20), read(3, "a", 30)}, porcupine.Illegal},
		"read before it was written":      {[]step{read(1, "a", 0), write(0, "a", stored, 10)}, porcupine.Illegal},
		"at once, in the order that fits": {[]step{write(1, "b", stored, 0), write(0, "a", stored, 0), read(2, "b", 10)}, porcupine.Ok},
	} {
		var all []porcupine.Operation
		for _, s := range c.history {
			all = append(all, operation(s.claim, s.outcome, s.call, s.end))
		}
		if got := porcupine.CheckOperationsTimeout(register(), story(all), time.Minute); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
