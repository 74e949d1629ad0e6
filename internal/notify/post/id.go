package post

import (
	"crypto/sha256"
	"encoding/hex"
)

// HeaderNotice names the notice, so that a repeated one is recognised.
const HeaderNotice = "X-K8Guard-Notice"

// ID is a notice's key where that may stand in a header, else a name made of it.
func ID(key string) string {
	if key != "" && len(key) <= 400 && visible(key) {
		return key
	}
	sum := sha256.Sum256([]byte(key))
	return "notice-" + hex.EncodeToString(sum[:16])
}
