package post

import (
	"crypto/sha256"
	"encoding/hex"
)

// HeaderNotice names the notice, so that a repeated one is recognised.
const HeaderNotice = "X-K8Guard-Notice"

// ID names a notice to a server: always a hash of its key, which holds an owner's address. So it is
// of one length, and has no dot, which would let what is signed (id.timestamp.body) be read in
// two ways.
func ID(key string) string {
	sum := sha256.Sum256([]byte(key))
	return "notice-" + hex.EncodeToString(sum[:16])
}
