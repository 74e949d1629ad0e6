package slack

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
)

// workspace answers as Slack does: who is in the channel, page by page, and in groups.
type workspace struct {
	pages  [][]string
	groups map[string]string // id to its users, as JSON
	refuse map[string]string // method to Slack's word
	status map[string]int    // method to a status, with a Retry-After
	asked  map[string]int    // by method
}

func (w *workspace) reply(out http.ResponseWriter, r notifytest.Request) {
	method := strings.TrimPrefix(r.Path, "/api/")
	w.asked[method]++
	form, _ := url.ParseQuery(string(r.Body))
	switch {
	case w.status[method] != 0:
		out.Header().Set("Retry-After", "40")
		out.WriteHeader(w.status[method])
	case w.refuse[method] != "":
		_, _ = fmt.Fprintf(out, `{"ok":false,"error":%q,"needed":"channels:read"}`, w.refuse[method])
	case method == "conversations.members":
		page, next := 0, ""
		_, _ = fmt.Sscanf(form.Get("cursor"), "page-%d", &page)
		if page+1 < len(w.pages) {
			next = fmt.Sprintf("page-%d", page+1)
		}
		_, _ = fmt.Fprintf(out, `{"ok":true,"members":["%s"],"response_metadata":{"next_cursor":%q}}`, strings.Join(w.pages[page], `","`), next)
	case method == "usergroups.users.list":
		_, _ = fmt.Fprintf(out, `{"ok":true,"users":[%s]}`, w.groups[form.Get("usergroup")])
	default:
		_, _ = fmt.Fprintf(out, `{"ok":true,"channel":"C0123","ts":"17.%06d"}`, w.asked[method])
	}
}

func joined(t *testing.T, w *workspace) *Channel {
	t.Helper()
	s, _, c := start(t)
	w.asked = map[string]int{}
	s.Reply(w.reply)
	return c
}

func mentioning(id string, ids ...string) notify.Digest {
	d := about(id, "warning", "c-1")
	d.Mentions = ids
	return d
}

// Only who is in the channel sees a mention: a notice is taken for nobody else.
func TestOnlyMembersAreReached(t *testing.T) {
	in := [][]string{{"U01", "UBOT"}, {"U02"}, {"U03"}}
	for name, row := range map[string]struct {
		w    workspace
		ids  []string
		want []string
		says string
	}{
		"a member":                          {workspace{pages: in}, []string{"U01"}, []string{"U01"}, "posted"},
		"a member on the last page":         {workspace{pages: in}, []string{"U03"}, []string{"U03"}, "posted"},
		"somebody who is not there":         {workspace{pages: in}, []string{"U04"}, nil, "U04 is not in the channel"},
		"one of two":                        {workspace{pages: in}, []string{"U04", "U02"}, []string{"U02"}, "U04 is not in the channel"},
		"a group with a member":             {workspace{pages: in, groups: map[string]string{"S11": `"U08","U02"`}}, []string{"S11"}, []string{"S11"}, "posted"},
		"a group without":                   {workspace{pages: in, groups: map[string]string{"S11": `"U08"`}}, []string{"S11"}, nil, "S11 is not in the channel"},
		"a group that is empty":             {workspace{pages: in}, []string{"S11"}, nil, "S11 is not in the channel"},
		"a group of thousands":              {workspace{pages: in, groups: map[string]string{"S11": strings.Repeat(`"U0123456789",`, 20_000) + `"U02"`}}, []string{"S11"}, []string{"S11"}, "posted"},
		"the scope is missing":              {workspace{pages: in, refuse: map[string]string{"conversations.members": "missing_scope"}}, []string{"U01"}, nil, "missing_scope"},
		"the scope for groups is missing":   {workspace{pages: in, refuse: map[string]string{"usergroups.users.list": "missing_scope"}}, []string{"S11", "U01"}, []string{"U01"}, "missing_scope"},
		"a channel that cannot be asked of": {workspace{pages: in, refuse: map[string]string{"conversations.members": "channel_not_found"}}, []string{"U01"}, nil, "channel_not_found"},
	} {
		out := sends(t, joined(t, &row.w), mentioning("n/1", row.ids...), notify.Confirmed)
		if want := append([]string{"slack"}, row.want...); !slices.Equal(out.Accepted, want) || !strings.Contains(out.Detail, row.says) || row.w.asked["chat.postMessage"] != 1 {
			t.Errorf("%s: %+v, asked %v", name, out, row.w.asked)
		}
	}
}

// Where it cannot be known now, nothing is posted, and it is tried again: a notice that went out
// without would use up a try of the ladder.
func TestNothingIsPostedBeforeItIsKnown(t *testing.T) {
	for name, w := range map[string]workspace{
		"429":              {status: map[string]int{"conversations.members": 429}},
		"500":              {status: map[string]int{"conversations.members": 500}},
		"groups, 503":      {pages: [][]string{{"U01"}}, status: map[string]int{"usergroups.users.list": 503}},
		"Slack is in pain": {refuse: map[string]string{"conversations.members": "fetch_members_failed"}},
		"an old token":     {refuse: map[string]string{"conversations.members": "token_expired"}},
	} {
		c := joined(t, &w)
		out := sends(t, c, mentioning("n/1", "S11", "U01"), notify.Failed)
		if w.asked["chat.postMessage"] != 0 || len(out.Accepted) > 0 || (name == "429") != (out.RetryAfter == 40*time.Second) && w.status == nil {
			t.Errorf("%s: %+v, asked %v", name, out, w.asked)
		}
		w.status, w.refuse, w.pages, w.groups = nil, nil, [][]string{{"U01"}}, map[string]string{"S11": `"U01"`}
		if out := sends(t, c, mentioning("n/1", "S11", "U01"), notify.Confirmed); !slices.Equal(out.Accepted, []string{"slack", "S11", "U01"}) {
			t.Errorf("%s, then it is known: %+v", name, out)
		}
	}
}

// Slack is asked once in five minutes, and after a refusal once in a minute; who mentions nobody asks nothing.
func TestMembersAreRememberedForAWhile(t *testing.T) {
	w := &workspace{pages: [][]string{{"U01"}}, groups: map[string]string{"S11": `"U01"`}}
	c, now := joined(t, w), time.Now()
	c.now = func() time.Time { return now }
	asked := func(after time.Duration, want int, ids ...string) {
		t.Helper()
		now = now.Add(after)
		sends(t, c, mentioning(fmt.Sprint("n/", now.UnixNano()), ids...), notify.Confirmed)
		if w.asked["conversations.members"] != want {
			t.Errorf("asked %d times, want %d", w.asked["conversations.members"], want)
		}
	}
	asked(0, 0)
	asked(time.Second, 1, "U01", "S11")
	asked(memberFor-time.Second, 1, "U02", "S11")
	asked(time.Second, 2, "U01")
	asked(-time.Hour, 3, "U01") // a clock that was set back
	w.refuse = map[string]string{"conversations.members": "missing_scope"}
	asked(memberFor, 4, "U01")
	asked(refusedFor-time.Second, 4, "U01")
	asked(time.Second, 5, "U01")
}

// Whoever came into the channel between the parts of a notice saw only some of it, and is not warned by it.
func TestWhoSawAPartIsNotReached(t *testing.T) {
	w := &workspace{pages: [][]string{{"U01"}}}
	c := joined(t, w)
	now, left := time.Now(), 1
	c.now = func() time.Time { return now }
	s := notifytest.NewServer(t, works())
	c.conf.BaseURL = s.URL() + "/api"
	s.Reply(func(out http.ResponseWriter, r notifytest.Request) {
		if strings.HasSuffix(r.Path, "chat.postMessage") {
			if left--; left < 0 {
				out.WriteHeader(http.StatusTooManyRequests)
				return
			}
		}
		w.reply(out, r)
	})
	d := about("n/1", "warning", "c-1", "c-2")
	d.Mentions = []string{"U01", "U02"}
	if out := sends(t, c, d, notify.Failed); len(out.Told) != 1 || !slices.Equal(out.Told[0].For, []string{"slack", "U01"}) {
		t.Errorf("%+v", out)
	}
	w.pages, now, left = [][]string{{"U01", "U02"}}, now.Add(memberFor), 5
	if out := sends(t, c, d, notify.Confirmed); !slices.Equal(out.Accepted, []string{"slack", "U01"}) {
		t.Errorf("%+v", out)
	}
}

// Of a notice that is not the newest in a thread nobody remembers who saw it.
func TestWhoSawAnOlderNoticeIsNotKnown(t *testing.T) {
	thread := Thread{Said: []string{"n/1", "n/2"}, To: []string{"U01"}}
	if thread.saw("n/1") != nil || !slices.Equal(thread.saw("n/2"), []string{"U01"}) || (Thread{}).saw("") != nil {
		t.Errorf("%v, %v", thread.saw("n/1"), thread.saw("n/2"))
	}
}
