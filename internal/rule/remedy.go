package rule

import (
	"fmt"
	"strings"
)

// named is how much of what is approved a remedy names: owners do not see the configuration.
const named = 5

// Remedy completes a remedy by what is approved, which whoever mends must know: at most five, and
// how many there are besides. Without any it is the remedy alone.
func Remedy(text string, approved []string) string {
	if len(approved) == 0 {
		return text
	}
	more := ""
	if n := len(approved) - named; n > 0 {
		more = fmt.Sprintf(" and %d more", n)
	}
	return fmt.Sprintf("%s Approved: %s%s.", text, strings.Join(approved[:min(named, len(approved))], ", "), more)
}
