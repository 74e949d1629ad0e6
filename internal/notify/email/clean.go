package email

import (
	"net/url"
	"strings"
	"unicode"
)

// clean makes hostile text safe to stand on one line: white space becomes a space, control,
// bidirectional and invisible characters vanish, and it is cut to limit runes.
func clean(s string, limit int) string {
	var b strings.Builder
	n := 0
	for _, r := range strings.ToValidUTF8(s, "\uFFFD") {
		switch {
		case unicode.IsSpace(r):
			r = ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Noncharacter_Code_Point, unicode.Variation_Selector):
			continue
		}
		if n++; n > limit {
			b.WriteRune('…')
			break
		}
		b.WriteRune(r)
	}
	return strings.TrimSpace(b.String())
}

// header is clean, and holds nothing that a mail program would decode once more.
func header(s string, limit int) string {
	return strings.ReplaceAll(clean(s, limit), "=?", "= ?")
}

// token writes any string as visible ASCII without "=", "?" and spaces; what is not plain
// becomes %XX.
func token(s string, limit int) string {
	const plain = letters + "0123456789/_.:@+-,|"
	var b strings.Builder
	for i := 0; i < len(s) && b.Len() < limit; i++ {
		if strings.IndexByte(plain, s[i]) >= 0 {
			b.WriteByte(s[i])
			continue
		}
		b.WriteString("%" + string("0123456789ABCDEF"[s[i]>>4]) + string("0123456789ABCDEF"[s[i]&15]))
	}
	return b.String()
}

// link returns s if it is a web address that hides nothing, else "".
func link(s string) string {
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
		len(s) > 2000 || hasOther(s, letters+"0123456789-._~:/?#[]@!$&'()*+,;=%") {
		return ""
	}
	return s
}
