package stage

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/k8guard/k8guard/tools/mailsink"
)

// Beside sets up one more K8Guard on this stage's cluster, with a folder, a mail server and a
// configuration of its own. Of the options, Cluster and Repo are not looked at. Stop it
// before the stage whose guest it is.
func (s *Stage) Beside(o Options) (*Stage, error) {
	if o.Dir == "" {
		return nil, errors.New("stage: Options.Dir is empty, name a folder")
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s.mu.Lock()
	guest := &Stage{Cluster: s.Cluster, dir: dir, repo: s.repo, accounts: s.accounts, guest: true, progress: s.progress, binary: s.binary}
	s.mu.Unlock()
	if err := guest.equip(o); err != nil {
		return nil, errors.Join(fmt.Errorf("set a guest up: %w", err), guest.Stop())
	}
	return guest, nil
}

// equip starts the mail server and writes the configuration.
func (s *Stage) equip(o Options) (err error) {
	s.Mail, err = mailsink.Start(mailsink.Options{Dir: filepath.Join(s.dir, "mail"), SMTPAddr: o.SMTPAddr, HTTPAddr: o.MailAddr,
		User: mailUser, Password: mailPassword})
	if err != nil {
		return err
	}
	s.say("a mail server (STARTTLS, with a login) takes mail at %s; read it at %s", s.Mail.SMTPAddr(), s.Mail.URL())
	return s.configure(o)
}
