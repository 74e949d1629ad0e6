package email

import (
	"strings"

	"github.com/k8guard/k8guard/internal/notify/wording"
)

func clean(s string, limit int) string { return wording.Clean(s, limit) }

func link(s string) string { return wording.Link(s) }

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
