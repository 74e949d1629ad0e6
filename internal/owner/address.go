package owner

import (
	"regexp"
	"slices"
	"strings"
)

// maxAddress is the longest address that SMTP carries (RFC 5321, 4.5.3.1), in bytes.
const maxAddress = 254

// MaxAddresses bounds the owners of one namespace.
const MaxAddresses = 20

const (
	atom  = "[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
	label = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)

// Addresses reads a comma-separated list of mail addresses, as an annotation holds it.
// Valid ones come lower-cased, sorted and once each; malformed ones as they were written.
// Only plain ASCII addresses with a full domain are valid: no display name, no quoted
// local part, no control character. Empty entries are ignored. At most [MaxAddresses] are
// taken, in their order; the others are malformed, for no team is so many.
func Addresses(value string) (valid []string, malformed []string) {
	address := regexp.MustCompile("^" + atom + `(?:\.` + atom + ")*@(?:" + label + `\.)+` + label + "$")
	for entry := range strings.SplitSeq(value, ",") {
		entry = strings.Trim(entry, " \t")
		lower := strings.ToLower(entry)
		local, _, _ := strings.Cut(lower, "@")
		switch {
		case entry == "":
		case len(valid) == MaxAddresses:
			malformed = append(malformed, entry)
		case !ascii(entry), len(entry) > maxAddress, len(local) > 64, !address.MatchString(lower):
			malformed = append(malformed, entry)
		default:
			valid = append(valid, lower)
		}
	}
	slices.Sort(valid)
	return slices.Compact(valid), malformed
}

// Valid reports whether this is one plain address, written as it will be used.
func Valid(address string) bool {
	valid, malformed := Addresses(address)
	return len(valid) == 1 && len(malformed) == 0 && !strings.Contains(address, ",")
}

// ascii is checked before lower-casing: the Kelvin sign lower-cases to a plain k.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
