package judge

import (
	"slices"
	"strings"

	"github.com/k8guard/k8guard/tools/mailsink"
)

// Terms are what K8Guard promised, in numbers.
type Terms struct {
	Warnings int                 // X: confirmed before an act
	Tries    int                 // M: the most mails that warn of one case
	Owners   map[string][]string // by namespace: the addresses that people wrote on it
}

type mailbox struct {
	findings
	terms Terms
	dump  Dump
	mails []told
	home  map[string]Root // of a case
}

// Notices holds the mail that arrived against the ledger and the terms: no notice twice,
// at most M mails that warn of a case, each to its owner and on record, and before every
// act at least X that arrived and are confirmed in the ledger. No mail at all is an error.
func Notices(mails []mailsink.Message, d Dump, t Terms) error {
	b := &mailbox{terms: t, dump: d, home: map[string]Root{}}
	for _, x := range d.Dockets {
		for _, c := range x.Cases {
			b.home[c.ID] = x.Root
		}
	}
	for _, m := range mails {
		b.mails = append(b.mails, readMail(m))
	}
	if len(mails) == 0 || t.Warnings < 1 || t.Tries < t.Warnings {
		b.add("%d mails, and terms of %d warnings in at most %d tries: nothing can be concluded", len(mails), t.Warnings, t.Tries)
	}
	b.unique()
	b.bounded()
	for _, m := range b.mails {
		b.onRecord(m)
	}
	b.confirmed()
	return b.err("notices")
}

func (b *mailbox) unique() {
	seen := map[string]int{}
	for _, m := range b.mails {
		for _, id := range []string{m.key, m.Get("Message-Id")} {
			switch first, twice := seen[id]; {
			case id == "":
				b.add("mail %d: no %s or no Message-ID", m.N, noticeHeader)
			case twice:
				b.add("mail %d repeats mail %d: %s", m.N, first, id)
			default:
				seen[id] = m.N
			}
		}
	}
}

func (b *mailbox) bounded() {
	count := map[string]int{}
	for _, m := range b.mails {
		for _, id := range m.cases {
			count[id]++
		}
	}
	for id, n := range count {
		if n > b.terms.Tries {
			b.add("case %s: %d mails warn of it, at most %d may", id, n, b.terms.Tries)
		}
	}
}

// onRecord holds one mail against its notice in the ledger and against its reader.
func (b *mailbox) onRecord(m told) {
	n, ok := b.dump.Notices[m.key]
	if !ok || n.State == "due" && len(m.cases) > 0 {
		b.add("mail %d (%s): arrived, and the ledger says %q of it", m.N, m.key, n.State)
	}
	for _, id := range m.cases {
		owners := b.terms.Owners[b.home[id].Namespace]
		for _, to := range m.Rcpts {
			if !slices.Contains(owners, strings.ToLower(to)) {
				b.add("mail %d warns %s of case %s in namespace %q, whose owners are %v", m.N, to, id, b.home[id].Namespace, owners)
			}
		}
		if !n.warns(id) {
			b.add("mail %d warns of case %s, which notice %s does not hold", m.N, id, m.key)
		}
	}
}

func (n Notice) warns(id string) bool {
	return slices.ContainsFunc(n.Digest.Items, func(i struct{ Case, Purpose string }) bool { return i.Case == id && i.Purpose == "warning" })
}

// confirmed holds every act against the warnings before it.
func (b *mailbox) confirmed() {
	for _, x := range b.dump.Dockets {
		e := x.Enforcement
		if e == nil || !slices.Contains(wasDone(), e.State) {
			continue
		}
		if len(e.Cases) == 0 {
			b.add("%s was acted on for no case", e.Target)
		}
		for _, id := range e.Cases {
			if n := b.before(*e, id); n < b.terms.Warnings {
				b.add("%s was acted on (%s) with %d confirmed warnings of case %s before it, %d are needed", e.Target, e.ID, n, id, b.terms.Warnings)
			}
		}
	}
}

// before counts mails that warned an owner of the case before the intent, and that the
// ledger has as sent.
func (b *mailbox) before(e Enforcement, id string) int {
	n := 0
	for _, m := range b.mails {
		notice := b.dump.Notices[m.key]
		toOwner := slices.ContainsFunc(m.Rcpts, func(to string) bool {
			return slices.Contains(b.terms.Owners[e.Target.Namespace], strings.ToLower(to))
		})
		if slices.Contains(m.cases, id) && toOwner && m.At.Before(e.IntentAt) &&
			notice.State == "sent" && notice.Owner.Platform && notice.LastTry.Before(e.IntentAt) {
			n++
		}
	}
	return n
}
