// Package email sends digests by SMTP.
//
// Purpose: one mail, as text and as HTML, to the owners that a digest names.
//
// Concurrency: a [Channel] holds no state that changes; each Send has its own connection.
//
// Guarantees: the outcome is never rosier than what the server said: confirmed needs a 250
// after the message. The password goes out over verified TLS only, and is in no outcome.
// Addresses outside the configured domains get nothing. One digest always has the same
// Message-ID and X-K8Guard-Notice, so that a repetition is recognisable.
//
// It will not: retry, queue, keep connections, or fall back to plain text.
package email

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/mail"
	"os"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
)

const timeout = 25 * time.Second

// Channel is the email channel.
type Channel struct {
	conf config.Email
	from *mail.Address
	now  func() time.Time
	// password is a function, so that no way of printing a Channel shows it: fmt does not
	// ask a Secret in an unexported field to mask itself.
	password func() (string, error)
}

// New checks the configuration and dials nothing. The time is for the Date header and the
// remaining times in the text.
func New(conf config.Email, now func() time.Time) (*Channel, error) {
	if conf.TLS == "" {
		conf.TLS = "starttls"
	}
	if conf.Port == 0 {
		conf.Port = map[string]int{"starttls": 587, "tls": 465, "none": 25}[conf.TLS]
	}
	from, err := mail.ParseAddress(conf.From)
	if err != nil {
		return nil, fmt.Errorf("email: notify.email.from: write one address: %w", err)
	}
	if _, err := parseAddress(from.Address); err != nil {
		return nil, fmt.Errorf("email: notify.email.from: %w", err)
	}
	c := &Channel{conf: conf, from: from, now: now}
	if err := c.check(); err != nil {
		return nil, err
	}
	c.password = func() (string, error) { return Password(conf) }
	c.conf.Password = config.Secret{}
	if _, err := c.tlsConfig(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Channel) check() error {
	secret := !c.conf.Password.Empty() || c.conf.PasswordFile != ""
	switch {
	case c.conf.Host == "":
		return errors.New("email: notify.email.host is empty: name the mail server")
	case c.conf.Port < 1 || c.conf.Port > 65535:
		return errors.New("email: notify.email.tls is starttls, tls or none, and port 1 to 65535")
	case c.conf.TLS != "starttls" && c.conf.TLS != "tls" && c.conf.TLS != "none":
		return errors.New("email: notify.email.tls: write starttls, tls or none")
	case len(c.conf.Domains) == 0:
		return errors.New("email: notify.email.domains is empty: list the domains that may be written to")
	case c.conf.TLS == "none" && (secret || c.conf.Username != ""):
		return errors.New("email: notify.email.tls is none, so a password would be readable: use starttls, or remove the account")
	case secret != (c.conf.Username != ""):
		return errors.New("email: notify.email: username and password (or passwordFile) go together")
	}
	return nil
}

// Name is "email".
func (c *Channel) Name() string { return "email" }

// Ready says what would keep a mail from going out, as far as the configuration's files tell.
func (c *Channel) Ready() error {
	_, err := c.password()
	return err
}

// Preview is the mail that would be sent, to those who may be written to.
func (c *Channel) Preview(d notify.Digest) ([]byte, error) {
	to, _, _ := c.recipients(d.To)
	return c.compose(context.Background(), d, to)
}

// Send tries once, within ctx and at most 25 s.
func (c *Channel) Send(ctx context.Context, d notify.Digest) notify.Outcome {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	to, refused, reasons := c.recipients(d.To)
	if len(to) == 0 {
		return notify.Outcome{State: notify.Failed, Detail: clean("no recipient is left: "+reasons, 1000), Refused: refused}
	}
	password, err := c.password()
	if err != nil {
		return notify.Outcome{State: notify.Failed, Detail: clean(err.Error(), 500), Refused: refused}
	}
	message, err := c.compose(ctx, d, to)
	if err != nil {
		return notify.Outcome{State: notify.Failed, Detail: clean(err.Error(), 500), Refused: refused}
	}
	out := c.deliver(ctx, password, to, message)
	out.Refused = append(refused, out.Refused...)
	out.Detail = clean(mask(out.Detail, c.conf.Username, password), 500)
	return out
}

// Password is what a mail would log in with; "" is none. A file is read each time, so that a
// changed secret needs no restart.
func Password(conf config.Email) (string, error) {
	password, err := conf.Password.OrFile("notify.email.passwordFile", conf.PasswordFile)
	if err == nil && password == "" && conf.PasswordFile != "" {
		err = errors.New("notify.email.passwordFile is empty: write the password into it")
	}
	return password, err
}

func (c *Channel) tlsConfig() (*tls.Config, error) {
	conf := &tls.Config{ServerName: c.conf.Host, MinVersion: tls.VersionTLS12}
	if c.conf.CAFile == "" {
		return conf, nil
	}
	data, err := os.ReadFile(c.conf.CAFile)
	if err != nil {
		return nil, fmt.Errorf("email: read notify.email.caFile: %w", err)
	}
	conf.RootCAs = x509.NewCertPool()
	if !conf.RootCAs.AppendCertsFromPEM(data) {
		return nil, errors.New("email: notify.email.caFile holds no PEM certificate")
	}
	return conf, nil
}
