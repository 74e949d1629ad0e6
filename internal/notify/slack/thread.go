package slack

import "time"

// The book of an owner is bounded: the thread that was used least lately is forgotten first.
const (
	maxThreads = 300
	maxSaid    = 4
)

// Book holds an owner's threads, by case.
type Book struct {
	Threads map[string]Thread `json:"threads,omitempty"`
}

// Thread is where a case is spoken of.
type Thread struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"` // of the root, as Slack names it
	In      string `json:"in"` // the channel as the configuration named it
	// Said are the notices that are posted, newest last: what stopped half-way does not say them again.
	Said []string `json:"said,omitempty"`
	// To are the ids of the owner's that saw the newest of them: they were in the channel then.
	To []string  `json:"to,omitempty"`
	At time.Time `json:"at"` // when the newest of them was posted
	// Over says that the root says so: what comes later begins a new thread.
	Over bool `json:"over,omitempty"`
}

// saw are the ids that saw a notice which is said already; none, where it is not the newest.
func (t Thread) saw(notice string) []string {
	if n := len(t.Said); n == 0 || t.Said[n-1] != notice {
		return nil
	}
	return t.To
}

// Set keeps one thread.
func (b *Book) Set(caseID string, t Thread) { b.set(caseID, t) }

func (b *Book) set(caseID string, t Thread) {
	if b.Threads == nil {
		b.Threads = map[string]Thread{}
	}
	b.Threads[caseID] = t
	for len(b.Threads) > maxThreads {
		oldest := ""
		for id, other := range b.Threads {
			if id != caseID && (oldest == "" || other.At.Before(b.Threads[oldest].At)) {
				oldest = id
			}
		}
		delete(b.Threads, oldest)
	}
}
