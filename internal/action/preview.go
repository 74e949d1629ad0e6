package action

import (
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/policy"
)

// Preview composes what the next notice on a channel would say of a case, to its owner. Nothing
// is filed or sent.
func (e *Engine) Preview(d docket.Docket, c docket.Case, channel string) notify.Digest {
	now, to := e.Now().UTC(), e.ownerOf(d, c.Rule)
	out := notify.Digest{ID: "preview", At: now, URL: e.Config.Report.URL, Owner: to, To: to.Emails,
		Items: []notify.Item{e.item(d, c, next(d, c), now)}}
	out.Mentions, out.Tags = e.reach(channel, to)
	nameClusters(&out)
	return out
}

// next is what a case would be told for.
func next(d docket.Docket, c docket.Case) docket.Purpose {
	switch {
	case c.Plan.Step == policy.Notify && c.Plan.Next != "":
		return docket.Purpose(c.Plan.Next)
	case c.State == docket.Resolved:
		return docket.AllClear
	case c.State == docket.Acted && d.Undone():
		return docket.Undone
	case c.State == docket.Acted:
		return docket.Enforced
	}
	return docket.Warning
}
