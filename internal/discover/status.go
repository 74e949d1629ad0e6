package discover

import (
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/cluster"
)

// staleAfter is the default of Settings.StaleAfter.
const staleAfter = 3 * time.Minute

// Status is how the audit stands.
type Status struct {
	Kinds []cluster.Status
	// Oldest is the longest silence of any watch; it counts from nothing for a kind that was
	// never heard of, and is then left out.
	Oldest time.Duration
	// Stale is true when a kind is not complete or silent for more than Settings.StaleAfter.
	Stale bool
	// Judged counts the live roots.
	Judged int
}

// Status says how the audit stands now.
func (d *Discover) Status() Status {
	var s Status
	now := d.settings.Now()
	for _, kind := range d.settings.Watcher.Kinds() {
		st := d.settings.Watcher.Status(kind)
		s.Kinds = append(s.Kinds, st)
		s.Judged += d.count(kind)
		if !st.LastEvent.IsZero() {
			s.Oldest = max(s.Oldest, now.Sub(st.LastEvent))
		}
		s.Stale = s.Stale || !st.Complete
	}
	s.Stale = s.Stale || s.Oldest > d.settings.StaleAfter
	return s
}

// Missing names the kinds that are not read completely or whose watch is silent, or "".
func (s Status) Missing() string {
	var names []string
	for _, k := range s.Kinds {
		switch {
		case k.Err != nil:
			names = append(names, string(k.Kind)+" ("+k.Err.Error()+")")
		case !k.Complete:
			names = append(names, string(k.Kind)+" (not read yet)")
		}
	}
	if len(names) == 0 && s.Stale {
		return "a watch is silent"
	}
	return strings.Join(names, ", ")
}
