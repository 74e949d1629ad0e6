package mailsink

import (
	"crypto/subtle"
	"io"
	"slices"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

type session struct {
	sink   *Sink
	conn   *smtp.Conn
	authed bool
	env    Envelope
}

func (s *Sink) session(c *smtp.Conn) (smtp.Session, error) {
	return &session{sink: s, conn: c}, nil
}

// AuthMechanisms is asked only on a line with TLS.
func (s *session) AuthMechanisms() []string {
	if s.sink.opts.User == "" {
		return nil
	}
	if len(s.sink.opts.Mechs) > 0 {
		return s.sink.opts.Mechs
	}
	return []string{sasl.Plain, sasl.Login}
}

func (s *session) Auth(mech string) (sasl.Server, error) {
	if !slices.Contains(s.AuthMechanisms(), mech) {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	if mech == cramMD5 {
		return &cramServer{session: s}, nil
	}
	if mech == sasl.Login {
		return &loginServer{check: s.check}, nil
	}
	if mech != sasl.Plain {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return s.check(user, password) }), nil
}

func (s *session) check(user, password string) error {
	o := s.sink.opts
	same := subtle.ConstantTimeCompare([]byte(user+"\x00"+password), []byte(o.User+"\x00"+o.Password))
	if same != 1 || o.User == "" {
		return smtp.ErrAuthFailed
	}
	s.authed = true
	return nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.sink.opts.User != "" && !s.authed {
		return smtp.ErrAuthRequired
	}
	if f := s.sink.Fault(); f.Mode == Slow {
		s.sink.pause(f)
	}
	_, tls := s.conn.TLSConnectionState()
	s.env = Envelope{From: from, TLS: tls, Auth: s.authed}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if s.sink.Fault().refuses(to) {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such mailbox"}
	}
	s.env.Rcpts = append(s.env.Rcpts, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	f := s.sink.Fault()
	if f.Mode == TempFail {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "Try again later"}
	}
	s.env.At = s.sink.opts.Now()
	s.env.Lost = f.Mode == AcceptThenLose
	if err := s.sink.store.add(s.env, body); err != nil {
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "Cannot store"}
	}
	switch f.Mode {
	case SlowReply:
		s.sink.pause(f)
	case DropAfterData:
		_ = s.conn.Conn().Close()
	}
	return nil
}

func (s *session) Reset()        { s.env = Envelope{} }
func (s *session) Logout() error { return nil }

// loginServer speaks LOGIN, which the SASL library has for clients only.
type loginServer struct {
	check func(user, password string) error
	user  *string
}

// Next asks for the user, then for the password.
func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	switch {
	case l.user == nil && response == nil:
		return []byte("Username:"), false, nil
	case l.user == nil:
		user := string(response)
		l.user = &user
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.check(*l.user, string(response))
	}
}
