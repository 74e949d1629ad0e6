package docket_test

import (
	"fmt"
	"testing"
	"time"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/docket"
)

func member(n int, born time.Time, lived time.Duration) docket.Member {
	return docket.Member{Root: v1.Root{Kind: "Pod", Name: fmt.Sprint("p-", n), UID: fmt.Sprint("u-", n)}, Created: born, Gone: born.Add(lived)}
}

func TestAFamilyIsBoundedAndForgets(t *testing.T) {
	var f docket.Family
	for n := range 500 {
		f.Bury(member(n, start().Add(time.Duration(n)*time.Hour), time.Hour))
		f.Tell(fmt.Sprint("sig-", n), docket.NoticeRef{Key: fmt.Sprint("n-", n), At: start().Add(time.Duration(n) * time.Hour)})
	}
	now := start().Add(500 * time.Hour)
	f.Forget(now)
	if len(f.Gone) > 60 || len(f.Told) > 200 || f.Gone[len(f.Gone)-1].Root.UID != "u-499" {
		t.Errorf("%d members, %d kinds of finding", len(f.Gone), len(f.Told))
	}
	if f.Bury(f.Gone[0]) || f.Tell("sig-0", docket.NoticeRef{Key: "n-0"}) {
		t.Error("noted twice")
	}
	if b := f.Before("u-new"); b == nil || b.Root.UID != "u-499" || b.Times != len(f.Gone)+1 {
		t.Errorf("before: %+v", b)
	}
	f.Forget(now.AddDate(1, 0, 0))
	if len(f.Gone)+len(f.Told) != 0 || f.Before("u-new") != nil || f.Short(now) {
		t.Errorf("a year later: %+v", f)
	}
}

func TestOnlyWhatLivedShortlyAndDiedLatelyMakesAFamily(t *testing.T) {
	for _, row := range []struct {
		lived, since time.Duration
		want         bool
	}{{time.Hour, time.Hour, true}, {25 * time.Hour, time.Hour, false}, {time.Hour, 25 * time.Hour, false}, {24 * time.Hour, time.Hour, false}} {
		var f docket.Family
		f.Bury(member(1, start(), row.lived))
		if got := f.Short(start().Add(row.lived + row.since)); got != row.want {
			t.Errorf("%+v: %v", row, got)
		}
	}
}

func TestSharingIsOnceForEachNotice(t *testing.T) {
	l := begin(t)
	l.see(nil, bad("app"))
	l.open("app")
	c := *l.d.Find(id("app"))
	told := map[string][]docket.NoticeRef{c.Signature(): {{Key: "n", Case: "c-other", Purpose: docket.Warning, N: 1, Owner: "ada@example.com", Result: docket.Sent, At: l.now}}}
	d, changed := docket.Share(l.d, told)
	if confirmed, tries := d.Find(c.ID).Count("ada@example.com"); !changed || confirmed != 1 || tries != 1 || d.Find(c.ID).Notices[0].Case != "c-other" {
		t.Errorf("%+v", d.Find(c.ID).Notices)
	}
	if _, changed := docket.Share(d, told); changed {
		t.Error("taken over twice")
	}
	l.see(nil, pass())
	if _, changed := docket.Share(l.d, told); changed {
		t.Error("a case that is over takes over a warning")
	}
}

// A root that outgrew its family is told that all is well, as any other.
func TestOnlyAThrowAwayRootGetsNoAllClear(t *testing.T) {
	for lived, want := range map[time.Duration]bool{time.Hour: false, 25 * time.Hour: true} {
		l := begin(t)
		l.see(nil, bad("app"))
		l.open("app")
		c := l.d.Find(id("app"))
		c.Notices = []docket.NoticeRef{{Key: "n", Purpose: docket.Warning, N: 1, Owner: l.d.OwnerOf(c.Rule).Key(), Result: docket.Sent, At: l.now}}
		l.d.Family = "family/x"
		l.see(func(o *v1.Observation) { o.Created = o.At.Add(-lived) }, pass())
		if got := l.d.Live(); got != want {
			t.Errorf("lived %s: an all-clear is owed: %v", lived, got)
		}
	}
}
