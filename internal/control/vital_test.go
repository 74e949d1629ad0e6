package control_test

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/control"
)

func TestWhatOpensTheBreaker(t *testing.T) {
	limits := control.Limits{SharePoints: 20, Stale: 15 * time.Minute, Skew: 30 * time.Second}
	calm := control.Signs{Violating: 5, Judged: 100}
	type look struct {
		after time.Duration
		signs control.Signs
	}
	for name, c := range map[string]struct {
		looks []look
		says  string
	}{
		"calm":                               {[]look{{0, calm}, {time.Minute, calm}}, ""},
		"the first look is no jump":          {[]look{{0, control.Signs{Violating: 90, Judged: 100}}}, ""},
		"before an inventory":                {[]look{{0, calm}, {time.Minute, control.Signs{Violating: 90}}}, ""},
		"a jump":                             {[]look{{0, calm}, {time.Minute, control.Signs{Violating: 25, Judged: 100}}}, "from 5 % to 25 % (25 of 100)"},
		"a little less":                      {[]look{{0, calm}, {time.Minute, control.Signs{Violating: 24, Judged: 100}}}, ""},
		"a small cluster":                    {[]look{{0, control.Signs{Judged: 9}}, {time.Minute, control.Signs{Violating: 9, Judged: 9}}}, ""},
		"in steps, within the hour":          {[]look{{0, calm}, {20 * time.Minute, control.Signs{Violating: 15, Judged: 100}}, {20 * time.Minute, control.Signs{Violating: 25, Judged: 100}}}, "jumped"},
		"slowly":                             {[]look{{0, calm}, {61 * time.Minute, control.Signs{Violating: 15, Judged: 100}}, {61 * time.Minute, control.Signs{Violating: 25, Judged: 100}}}, ""},
		"over a long pause":                  {[]look{{0, calm}, {50 * time.Hour, control.Signs{Violating: 60, Judged: 100}}}, "jumped"},
		"a fall and a rise":                  {[]look{{0, control.Signs{Violating: 40, Judged: 100}}, {time.Minute, calm}, {time.Minute, control.Signs{Violating: 40, Judged: 100}}}, "from 5 % to 40 %"},
		"half the list is missing":           {[]look{{0, calm}, {time.Minute, control.Signs{Violating: 5, Judged: 10}}}, ""}, // fewer is no more
		"stale for long":                     {[]look{{0, control.Signs{Stale: "Pod: 403", StaleFor: 16 * time.Minute}}}, "not whole for 16m0s: Pod: 403"},
		"stale for a moment":                 {[]look{{0, control.Signs{Stale: "Pod: 403", StaleFor: time.Minute}}}, ""},
		"the clock falls back":               {[]look{{0, calm}, {-time.Minute, calm}}, "our clock fell back"},
		"the clock falls back a little":      {[]look{{0, calm}, {-20 * time.Second, calm}}, ""},
		"the clock falls back, step by step": {[]look{{0, calm}, {-20 * time.Second, calm}, {-20 * time.Second, calm}}, "our clock fell back"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := newClock()
			d := control.New(open(t, t.TempDir()), clock.now)
			for _, l := range c.looks {
				clock.at = clock.at.Add(l.after)
				must(t, d.Watch(t.Context(), v1.Cluster{UID: "c"}, l.signs, limits))
			}
			b, err := d.Breaker(t.Context())
			if err != nil || b.Open != (c.says != "") || !strings.Contains(b.Reason, c.says) {
				t.Errorf("%+v, %v, want %q", b, err, c.says)
			}
			off := control.New(open(t, t.TempDir()), newClock().now)
			for _, l := range c.looks {
				must(t, off.Watch(t.Context(), v1.Cluster{UID: "c"}, l.signs, control.Limits{}))
			}
			if b, err := off.Breaker(t.Context()); err != nil || b.Open {
				t.Errorf("switched off, it opened: %+v, %v", b, err)
			}
		})
	}
}
