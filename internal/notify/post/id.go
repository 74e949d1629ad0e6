package post

import "github.com/k8guard/k8guard/internal/notify"

// HeaderNotice names the notice, so that a repeated one is recognised.
const HeaderNotice = "X-K8Guard-Notice"

// ID names a notice to a server. It is of one length, and has no dot, which would let what is
// signed (id.timestamp.body) be read in two ways.
func ID(d notify.Digest) string { return "notice-" + d.Ref() }
