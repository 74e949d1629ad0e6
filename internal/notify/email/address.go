package email

import (
	"errors"
	"net/mail"
	"slices"
	"strings"
)

const maxRecipients = 100

// parseAddress takes a bare ASCII address, local@domain, and returns its domain. No display
// name, quoted local part, address literal or control character gets through: what it
// returns without error can stand in an SMTP command and in a header as it is.
func parseAddress(s string) (domain string, err error) {
	if len(s) > 254 {
		return "", errors.New("address is longer than 254 bytes")
	}
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || at == len(s)-1 {
		return "", errors.New("address is not local@domain")
	}
	local, domain := s[:at], s[at+1:]
	if hasOther(local, letters+"0123456789.!#$%&'*+-/=?^_`{|}~") {
		return "", errors.New("address has a local part that is quoted or not plain ASCII")
	}
	if hasOther(domain, letters+"0123456789.-") || strings.Contains(domain, "..") ||
		strings.Trim(domain, ".-") != domain {
		return "", errors.New("address has a domain that is not plain ASCII")
	}
	parsed, err := mail.ParseAddress(s)
	if err != nil || parsed.Address != s || parsed.Name != "" {
		return "", errors.New("address is not a bare local@domain")
	}
	return domain, nil
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

func hasOther(s, allowed string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(allowed, r) })
}

// recipients splits into those that may be written to and those that may not, and says why
// not. An address that is listed twice is written to once.
func (c *Channel) recipients(all []string) (to, refused []string, reasons string) {
	var why []string
	if len(all) == 0 {
		why = append(why, "the digest names none")
	}
	for _, a := range all {
		reason := c.refusal(a, len(to))
		switch {
		case reason != "":
			refused = append(refused, clean(a, 254))
			why = append(why, clean(a, 80)+": "+reason)
		case !slices.Contains(to, a):
			to = append(to, a)
		}
	}
	return to, refused, strings.Join(why, "; ")
}

func (c *Channel) refusal(a string, taken int) string {
	domain, err := parseAddress(a)
	switch {
	case err != nil:
		return err.Error()
	case !slices.ContainsFunc(c.conf.Domains, func(d string) bool { return strings.EqualFold(d, domain) }):
		return "domain is not in notify.email.domains"
	case taken >= maxRecipients:
		return "too many recipients"
	}
	return ""
}
