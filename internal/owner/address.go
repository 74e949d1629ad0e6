package owner

import (
	"slices"
	"strings"
)

// maxAddress is the longest address that SMTP carries (RFC 5321, 4.5.3.1), in bytes.
const maxAddress = 254

// MaxAddresses bounds the owners of one namespace.
const MaxAddresses = 20

// Addresses reads a comma-separated list of mail addresses, as an annotation holds it.
// Valid ones come lower-cased, sorted and once each; malformed ones as they were written.
// Only plain ASCII addresses with a full domain are valid: no display name, no quoted
// local part, no control character. Empty entries are ignored. At most [MaxAddresses] are
// taken, in their order; the others are malformed, for no team is so many.
func Addresses(value string) (valid []string, malformed []string) {
	for entry := range strings.SplitSeq(value, ",") {
		entry = strings.Trim(entry, " \t")
		lower := strings.ToLower(entry)
		switch {
		case entry == "":
		case len(valid) == MaxAddresses:
			malformed = append(malformed, entry)
		case !ascii(entry), len(entry) > maxAddress, !plain(lower):
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

// plain reports whether a lower-cased address is local@domain: atoms with dots between, and at
// least two labels. It is asked for every root, so it is no regular expression.
func plain(address string) bool {
	local, domain, found := strings.Cut(address, "@")
	if !found || len(local) > 64 || !strings.Contains(domain, ".") {
		return false
	}
	for atom := range strings.SplitSeq(local, ".") {
		if !of(atom, "!#$%&'*+/=?^_`{|}~-") {
			return false
		}
	}
	for label := range strings.SplitSeq(domain, ".") {
		if !of(label, "-") || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// of reports whether a part is made of letters, digits and the others only, and is not empty.
func of(part, others string) bool {
	return part != "" && !strings.ContainsFunc(part, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune(others, r)
	})
}

// ascii is checked before lower-casing: the Kelvin sign lower-cases to a plain k.
func ascii(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}
