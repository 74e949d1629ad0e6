package sqlite

import "github.com/k8guard/k8guard/internal/ledger"

// byPart walks the rows of a part, and no window of everyone's: where that ends would tell of
// the rows outside. What it costs grows with the part, and with a Text by what the index of
// words finds, whose rows are not read. The pluses keep all else from choosing the index.
func byPart(q ledger.LineQuery, start place) walk {
	within, args := inPart(q.Part, "")
	w := walk{order: "at DESC, seq DESC", most: q.Limit + 1}
	w.from, w.args = "SELECT seq, at FROM history AS h WHERE "+within, args
	and := func(condition string, values ...any) {
		w.from, w.args = w.from+" AND "+condition, append(w.args, values...)
	}
	for _, f := range []struct{ condition, value string }{
		{"+namespace = ?", q.Namespace}, {"+rule = ?", q.Rule}, {"+kind = ?", q.Kind},
		{"EXISTS (SELECT 1 FROM history_owners o WHERE o.email = ? AND o.at = h.at AND o.seq = h.seq)", q.Owner},
	} {
		if f.value != "" {
			and(f.condition, f.value)
		}
	}
	if !q.Since.IsZero() {
		and("at >= ?", micros(q.Since))
	}
	if !q.Until.IsZero() {
		and("at < ?", micros(q.Until))
	}
	switch {
	case q.Text == "" && start.Seq != 0:
		and("(at, seq) < (?, ?)", start.At, start.Seq)
	case q.Text != "":
		w.order = "+seq DESC"
		and("+seq IN (SELECT rowid FROM history_text WHERE history_text MATCH ?)", match("body", q.Text))
		if start.Seq != 0 {
			and("+seq < ?", start.Seq)
		}
	}
	return w
}
