package rule

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	v1 "github.com/k8guard/k8guard/api/v1"
)

// maxText bounds each text of a violation, in bytes: a tenant chooses it, and two hundred of
// them must fit a docket even when JSON escapes every byte.
const maxText = 256

// bound cuts a violation's texts. A source that is cut keeps a hash of the whole, so that two
// long ones stay two.
func bound(v *v1.Violation) {
	if len(v.Source) > maxText {
		sum := sha256.Sum256([]byte(v.Source))
		v.Source = cut(v.Source, maxText-40) + "…" + hex.EncodeToString(sum[:16])
	}
	v.Message, v.Path, v.Evidence = cut(v.Message, maxText), cut(v.Path, maxText), cut(v.Evidence, maxText)
}

func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n-len("…")], "") + "…"
}
