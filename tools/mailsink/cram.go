package mailsink

import (
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"strings"

	"github.com/emersion/go-smtp"
)

const cramMD5 = "CRAM-MD5"

// cramServer speaks CRAM-MD5 (RFC 2195), which the SASL library has not.
type cramServer struct {
	session *session
	asked   bool
}

const challenge = "<1896.697170952@mailsink.test>"

// Next sends the challenge, then compares the answer's digest.
func (c *cramServer) Next(response []byte) ([]byte, bool, error) {
	if !c.asked {
		c.asked = true
		return []byte(challenge), false, nil
	}
	o := c.session.sink.opts
	mac := hmac.New(md5.New, []byte(o.Password))
	mac.Write([]byte(challenge))
	user, digest, _ := strings.Cut(string(response), " ")
	if user != o.User || digest != hex.EncodeToString(mac.Sum(nil)) {
		return nil, true, smtp.ErrAuthFailed
	}
	c.session.authed = true
	return nil, true, nil
}
