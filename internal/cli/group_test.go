package cli

import (
	"strings"
	"testing"
)

// A command that does not exist is no success, and what may be meant is said.
func TestWhatIsNoCommand(t *testing.T) {
	for args, want := range map[string]string{
		"csaes":               `unknown command "csaes" for "k8guard"; did you mean cases?`,
		"csaes -c x":          `unknown command "csaes" for "k8guard"; did you mean cases?`,
		"frobnicate -c x":     `unknown command "frobnicate" for "k8guard"; see k8guard --help`,
		"-q":                  "unknown shorthand flag",
		"cases -q":            "see k8guard cases --help",
		"help frobnicate":     `unknown command "frobnicate" for "k8guard"`,
		"help rules explian":  "did you mean explain?",
		"config chek":         "did you mean check?",
		"rules frobnicate":    "write one of docs, explain, list",
		"ledger frobnicate":   "write one of export, import, schema",
		"deadletter lst -o x": "did you mean list?",
		"breaker open":        "write one of close",
		"breaker closee":      "did you mean close?",
		"breaker":             "k8guard breaker close",
	} {
		_, _, err := with(t, nil, strings.Fields(args)...)
		if Code(err) != ExitFailure || !strings.Contains(Message(err), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
	for args, want := range map[string]string{
		"help undo":         "k8guard undo CASE",
		"help":              "Available Commands",
		"help breaker":      "k8guard breaker close",
		"":                  "Available Commands",
		"config":            "check",
		"__complete help r": "rules",
	} {
		if out, _, err := with(t, nil, strings.Fields(args)...); err != nil || !strings.Contains(out, want) {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
}
