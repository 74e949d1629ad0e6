package rule

import (
	"fmt"
	"strings"
)

// named is how many values of a parameter a remedy names: owners do not see the configuration.
const named = 5

// Remedy completes a remedy by the values of a parameter that whoever mends must know: at most
// five, and how many there are besides. Without any it is the remedy alone.
func Remedy(text, what string, values []string) string {
	if len(values) == 0 {
		return text
	}
	more := ""
	if n := len(values) - named; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s %s: %s%s.", text, what, strings.Join(values[:min(named, len(values))], ", "), more)
}
