package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strings"
)

// minKey is the least length of a key that signs, in bytes: as the Standard Webhooks ask for.
const minKey = 24

// What to write in the place of an id that is none.
const (
	noSlackID   = "is no id of a user or a group; write it as Slack shows it under a profile's \"Copy member ID\", such as U0123ABCD"
	noHipChatID = "is no name that can be mentioned; write letters, digits, . _ and -, and not one that calls everybody"
)

// SlackID reports whether this is the id of a user or a user group, which cannot be anything else
// in a message.
func SlackID(id string) bool {
	return len(id) >= 3 && len(id) <= 31 && strings.ContainsRune("UWS", rune(id[0])) && only(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
}

// HipChatID reports whether this is a mention name, and not one of those that call everybody.
func HipChatID(id string) bool {
	word, _, _ := strings.Cut(strings.NewReplacer("-", ".", "_", ".").Replace(strings.ToLower(id)), ".")
	switch word { // a chat may end the name at a dot
	case "all", "here", "aqui", "everyone", "channel":
		return false
	}
	return id != "" && len(id) <= 50 && only(id[:1], alphanumeric) && only(id, alphanumeric+"_.-")
}

const alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

// only is asked for every root, so it is no regular expression.
func only(s, allowed string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(allowed, r) })
}

func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// chat checks every channel but mail.
func (c *checker) chat(n Notify) {
	c.slack(n.Slack)
	c.hipChat(n.HipChat)
	names := map[string]bool{}
	for i, w := range n.Webhook {
		key := fmt.Sprintf("notify.webhook[%d]", i)
		c.bad(!matches(`^[a-z0-9][a-z0-9-]{0,39}$`, w.Name), key+".name", "is no name; write lower-case letters, digits and -, such as audit")
		c.bad(w.Name != "" && names[w.Name], key+".name", "is taken by an earlier webhook; give each its own")
		names[w.Name] = true
		c.bad(w.URL.Empty() && w.URLFile == "", key+".url", "is missing; write where notices go, or name a file with urlFile")
		if !w.URL.Empty() {
			c.secretURL(key+".url", w.URL)
		}
		c.bad(w.Key.Empty() && w.KeyFile == "", key+".key", "is missing; write what signs the notices, or name a file with keyFile")
		if _, err := WebhookKey(w.Key.Reveal()); err != nil && !w.Key.Empty() {
			c.bad(true, key+".key", err.Error())
		}
	}
	a := n.Alertmanager
	if a.URL == "" {
		return
	}
	c.bad(addressProblem(a.URL, a.Token.Empty() && a.TokenFile == "") != "", "notify.alertmanager.url", addressProblem(a.URL, a.Token.Empty() && a.TokenFile == ""))
}

// warnChat names settings of chats that are legal and probably not meant.
func warnChat(n Notify) (all []Warning) {
	if n.Slack.Channel != "" && !matches(`^[CG][A-Z0-9]{5,}$`, n.Slack.Channel) {
		all = append(all, Warning{"notify.slack.channel", "is a name: who is in it can be asked by its id only (C0123ABCD), so nothing on Slack counts as a warning"})
	}
	return all
}

func (c *checker) slack(s Slack) {
	if s.Channel == "" {
		c.bad(!s.Token.Empty() || s.TokenFile != "", "notify.slack.channel", "is missing while a token is set; write the channel's id, such as C0123ABCD")
		return
	}
	c.bad(!matches(`^#?[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$`, s.Channel), "notify.slack.channel", "is no channel; write its id, such as C0123ABCD")
	c.bad(s.Token.Empty() && s.TokenFile == "", "notify.slack.token", "is missing; write the bot's token, or name a file with tokenFile")
	problem := addressProblem(s.BaseURL, false)
	c.bad(problem != "", "notify.slack.baseURL", problem)
	c.users("notify.slack.users", s.Users, SlackID, noSlackID)
}

func (c *checker) hipChat(h HipChat) {
	if h.BaseURL == "" {
		return
	}
	problem := addressProblem(h.BaseURL, false)
	c.bad(problem != "", "notify.hipchat.baseURL", problem)
	c.bad(!matches(`^[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}$`, h.Room), "notify.hipchat.room", "is no room; write its id or its name")
	c.bad(h.Token.Empty() && h.TokenFile == "", "notify.hipchat.token", "is missing; write a token that may send notifications, or name a file with tokenFile")
	c.users("notify.hipchat.users", h.Users, HipChatID, noHipChatID)
}

func (c *checker) users(key string, all []ChatUser, valid func(string) bool, problem string) {
	for i, u := range all {
		local, domain, found := strings.Cut(u.Address, "@")
		c.bad(!found || local == "" || domain == "" || strings.ContainsAny(u.Address, " ,<>\r\n"), fmt.Sprintf("%s[%d].address", key, i),
			"is no plain address; write it as the owner's annotation or the teams file has it")
		c.bad(!valid(u.ID), fmt.Sprintf("%s[%d].id", key, i), problem)
	}
}

// secretURL says what is wrong with an address that may hold a token, and not the address.
func (c *checker) secretURL(key string, s Secret) {
	problem := addressProblem(s.Reveal(), false)
	c.bad(problem != "", key, problem)
}

// addressProblem says why this is no address that may be sent to, or "". It does not repeat it.
// Plain allows http to other hosts.
func addressProblem(address string, plain bool) string {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return "is no address; write https://host/path"
	case u.User != nil:
		return "holds a name or a password before the host; write it without, and the token where it belongs"
	case u.Fragment != "":
		return "has a part after #, which is never sent; write it without"
	case u.Scheme == "http" && !plain && !loopback(u.Hostname()):
		return "would send a secret in clear; write https://"
	}
	return ""
}

// CheckAddress is the same for an address that a file holds; the error does not repeat it.
func CheckAddress(key, address string) error {
	if problem := addressProblem(address, false); problem != "" {
		return fmt.Errorf("%s: %s", key, problem)
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// WebhookKey reads a key: whsec_ and base64, as the Standard Webhooks write one, or its bytes as
// they are. The error does not repeat it.
func WebhookKey(key string) ([]byte, error) {
	raw := []byte(key)
	if encoded, ok := strings.CutPrefix(key, "whsec_"); ok {
		var err error
		if raw, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return nil, errors.New("begins with whsec_, and what follows is not base64")
		}
	}
	if len(raw) < minKey {
		return nil, fmt.Errorf("is shorter than %d bytes; make one with: openssl rand -base64 32", minKey)
	}
	return raw, nil
}
