package email

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/k8guard/k8guard/internal/notify"
	"github.com/wneessen/go-mail/smtp"
)

// deliver drives the session itself, and not through the library's Client: that one gives
// up at the first refused recipient, and does not say whether the line broke before or
// after the message's end.
func (c *Channel) deliver(ctx context.Context, password string, to []string, message []byte) notify.Outcome {
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(c.conf.Host, strconv.Itoa(c.conf.Port)))
	if err != nil {
		return failed("connect", err)
	}
	defer func() { _ = raw.Close() }()
	if deadline, ok := ctx.Deadline(); ok {
		_ = raw.SetDeadline(deadline)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	client, err := c.open(ctx, raw)
	if err != nil {
		return failed("open the session", err)
	}
	if err := c.login(client, password); err != nil {
		return failed("log in", err)
	}
	out := c.transact(client, to, message)
	if out.State != notify.Unknown && ctx.Err() == nil {
		_ = raw.SetDeadline(time.Now().Add(time.Second)) // a server that is slow to say goodbye
		_ = client.Quit()
	}
	return out
}

func (c *Channel) open(ctx context.Context, raw net.Conn) (*smtp.Client, error) {
	conf, err := c.tlsConfig()
	if err != nil {
		return nil, err
	}
	conn := raw
	if c.conf.TLS == "tls" {
		secure := tls.Client(raw, conf)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, err
		}
		conn = secure
	}
	client, err := smtp.NewClient(conn, c.conf.Host)
	if err != nil {
		return nil, err
	}
	client.SkipSMTPUTF8(true) // every address is ASCII
	if err := client.Hello(c.domain()); err != nil {
		return nil, err
	}
	if c.conf.TLS == "starttls" {
		return client, client.StartTLS(conf)
	}
	return client, nil
}

func (c *Channel) domain() string {
	return c.from.Address[strings.LastIndexByte(c.from.Address, '@')+1:]
}

func (c *Channel) login(client *smtp.Client, password string) error {
	if c.conf.Username == "" {
		return nil
	}
	_, offered := client.Extension("AUTH")
	mechs := strings.Fields(strings.ToUpper(offered))
	switch {
	case slices.Contains(mechs, "PLAIN"):
		return client.Auth(smtp.PlainAuth("", c.conf.Username, password, c.conf.Host, false))
	case slices.Contains(mechs, "LOGIN"):
		return client.Auth(smtp.LoginAuth(c.conf.Username, password, c.conf.Host, false))
	case slices.Contains(mechs, "CRAM-MD5"):
		return client.Auth(smtp.CRAMMD5Auth(c.conf.Username, password))
	}
	return errors.New("the server offers none of AUTH PLAIN, LOGIN and CRAM-MD5")
}

// transact sends one message. Up to the dot every error means that nothing was sent.
func (c *Channel) transact(client *smtp.Client, to []string, message []byte) notify.Outcome {
	if err := client.Mail("<" + c.from.Address + ">"); err != nil {
		return failed("name the sender", err)
	}
	var out notify.Outcome
	var refusals []string
	for _, a := range to {
		err := client.Rcpt("<" + a + ">")
		if _, said := errors.AsType[*textproto.Error](err); err != nil && !said {
			return failed("name a recipient", err)
		}
		if err != nil {
			out.Refused, refusals = append(out.Refused, a), append(refusals, a+": "+err.Error())
			continue
		}
		out.Accepted = append(out.Accepted, a)
	}
	if len(out.Accepted) == 0 {
		out.State, out.Detail = notify.Failed, "the server refused every recipient: "+strings.Join(refusals, "; ")
		return out
	}
	w, err := client.Data()
	if err != nil {
		return failed("begin the message", err)
	}
	if _, err := w.Write(message); err != nil {
		return failed("write the message", err)
	}
	return settle(out, refusals, w.Close())
}

// settle reads the server's last word. After the dot only a reply is proof: a broken line
// may hide a message that was taken.
func settle(out notify.Outcome, refusals []string, err error) notify.Outcome {
	said, ok := errors.AsType[*textproto.Error](err)
	switch {
	case err == nil:
		out.State, out.Detail = notify.Confirmed, "accepted for "+recipients(len(out.Accepted))
		if len(refusals) > 0 {
			out.Detail += "; refused: " + strings.Join(refusals, "; ")
		}
		return out
	case ok && said.Code >= 400 && said.Code < 600:
		return notify.Outcome{State: notify.Failed, Refused: out.Refused, Detail: "end the message: " + err.Error()}
	default:
		return notify.Outcome{State: notify.Unknown, Refused: out.Refused, Detail: "no clear reply after the message went out: " + err.Error()}
	}
}

func failed(act string, err error) notify.Outcome {
	return notify.Outcome{State: notify.Failed, Detail: act + ": " + err.Error()}
}

// mask takes the password out of what a server says: a hostile one can send it back.
func mask(s, user, password string) string {
	if password == "" {
		return s
	}
	enc := base64.StdEncoding
	plain := "\x00" + user + "\x00" + password
	return strings.NewReplacer(password, "***", enc.EncodeToString([]byte(password)), "***",
		enc.EncodeToString([]byte(plain)), "***").Replace(s)
}

func recipients(n int) string {
	if n == 1 {
		return "1 recipient"
	}
	return fmt.Sprintf("%d recipients", n)
}
