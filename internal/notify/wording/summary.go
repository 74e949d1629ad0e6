package wording

import (
	"fmt"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/notify"
)

// Trial is the purpose of what is sent to try a channel: it concerns no case.
const Trial docket.Purpose = "test"

// Purposes are in the order in which a reader wants them.
func Purposes() []docket.Purpose {
	return []docket.Purpose{docket.Enforced, docket.NeedsHuman, docket.Warning, docket.Undone, docket.AllClear, Trial}
}

// Summary counts the digest's items: "1 acted on, 3 warnings".
func Summary(d notify.Digest) string {
	count := map[docket.Purpose]int{}
	for _, it := range d.Items {
		count[PurposeOf(it)]++
	}
	var parts []string
	for _, p := range Purposes() {
		switch n := count[p]; {
		case n == 0:
		case p == docket.Warning && n > 1:
			parts = append(parts, fmt.Sprintf("%d warnings", n))
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, short(p)))
		}
	}
	if len(parts) == 0 {
		return "no cases"
	}
	return strings.Join(parts, ", ")
}

func short(p docket.Purpose) string {
	switch p {
	case docket.Enforced:
		return "acted on"
	case docket.Undone:
		return "undone"
	case docket.AllClear:
		return "resolved"
	case Trial:
		return "test"
	case docket.NeedsHuman:
		return "needing a human"
	default:
		return "warning"
	}
}

// PurposeOf reads a purpose that this version does not know as one for a human.
func PurposeOf(it notify.Item) docket.Purpose {
	switch p := docket.Purpose(it.Purpose); p {
	case docket.Enforced, docket.Undone, docket.AllClear, docket.Warning, Trial:
		return p
	}
	return docket.NeedsHuman
}

// FirstStep returns the earliest act that warnings lead to, else the earliest other step.
func FirstStep(items []notify.Item) (first time.Time, act bool) {
	for _, it := range items {
		if it.NextAt.IsZero() || PurposeOf(it) != docket.Warning {
			continue
		}
		isAct := !it.ActAt().IsZero()
		if first.IsZero() || (isAct && !act) || (isAct == act && it.NextAt.Before(first)) {
			first, act = it.NextAt, isAct
		}
	}
	return first, act
}
