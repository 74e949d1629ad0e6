package mailsink

import (
	"fmt"
	"net"
	"slices"
	"time"
)

// Mode names how the sink behaves.
type Mode string

// The modes.
const (
	OK             Mode = "ok"
	RefuseConn     Mode = "refuse-connection" // reset each connection before the greeting
	TempFail       Mode = "tempfail"          // 451 after DATA, not recorded
	PermFail       Mode = "permfail"          // 550 at RCPT
	Slow           Mode = "slow"              // wait before the answer to MAIL
	SlowReply      Mode = "slow-reply"        // record, then wait before 250
	DropAfterData  Mode = "drop-after-data"   // record, then cut the line instead of 250
	AcceptThenLose Mode = "accept-then-lose"  // 250, but only the envelope is recorded, as lost
)

// Modes lists all of them.
func Modes() []Mode {
	return []Mode{OK, RefuseConn, TempFail, PermFail, Slow, SlowReply, DropAfterData, AcceptThenLose}
}

// Fault is a mode and its measure.
type Fault struct {
	Mode  Mode          `json:"mode"`
	Delay time.Duration `json:"delay,omitempty"` // of the slow modes, in nanoseconds
	// Rcpts are the only addresses that permfail refuses; empty refuses all.
	Rcpts []string `json:"rcpts,omitempty"`
}

// SetFault switches at once, also for sessions that are open.
func (s *Sink) SetFault(f Fault) error {
	if !slices.Contains(Modes(), f.Mode) || f.Delay < 0 {
		return fmt.Errorf("mail sink: fault %q: the modes are %v, a delay is not negative", f.Mode, Modes())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Rcpts = slices.Clone(f.Rcpts)
	s.fault = f
	return nil
}

// Fault returns what is switched on.
func (s *Sink) Fault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault
}

func (f Fault) refuses(rcpt string) bool {
	return f.Mode == PermFail && (len(f.Rcpts) == 0 || slices.Contains(f.Rcpts, rcpt))
}

// pause waits for the fault's delay, or until the sink closes.
func (s *Sink) pause(f Fault) {
	t := time.NewTimer(f.Delay)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.done:
	}
}

// door resets connections while the fault says so.
type door struct {
	net.Listener
	sink *Sink
}

// Accept returns the next connection that is let in.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil || d.sink.Fault().Mode != RefuseConn {
			return c, err
		}
		if tcp, ok := c.(*net.TCPConn); ok {
			_ = tcp.SetLinger(0)
		}
		_ = c.Close()
	}
}
