package stage

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/daemon"
)

const (
	mailUser     = "k8guard"
	mailPassword = "loopback-only"
)

// configure writes the configuration: a ladder of seconds, enforcement in the named
// namespaces only, and a budget that a small cluster can show.
func (s *Stage) configure(o Options) error {
	if err := os.WriteFile(s.passwordFile(), []byte(mailPassword), 0o600); err != nil {
		return err
	}
	listen := o.Listen
	if listen == "" {
		ports, err := daemon.FreePorts(1)
		if err != nil {
			return err
		}
		listen = net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
	}
	host, port, err := net.SplitHostPort(s.Mail.SMTPAddr())
	if err != nil {
		return err
	}
	c := config.Default()
	c.Cluster = config.Cluster{Name: "stage", Namespace: namespace,
		Kubeconfig: s.kubeconfig("k8guard-discover"), ActionKubeconfig: s.kubeconfig("k8guard-action")}
	c.Data.Dir = filepath.Join(s.dir, "data")
	c.Discover.Resync = 10 * time.Second
	c.Notify = config.Notify{Gather: time.Second, Gap: time.Second}
	c.Notify.Email = config.Email{Host: host, TLS: "starttls", CAFile: s.Mail.CAFile(), Username: mailUser,
		PasswordFile: s.passwordFile(), From: "k8guard@stage.example", Domains: []string{"stage.example"}}
	if c.Notify.Email.Port, err = strconv.Atoi(port); err != nil {
		return err
	}
	ladder := config.Ladder{Standing: 2 * time.Second, Warnings: 3, Wait: 3 * time.Second, LastWait: 3 * time.Second}
	c.Policies = []config.Policy{
		{Name: "act", Match: config.Match{Namespaces: o.Enforce}, Ladder: ladder, Enforce: len(o.Enforce) > 0},
		{Name: "tell", Ladder: ladder},
	}
	c.Enforce.Mode, c.Enforce.MinimumAge, c.Enforce.CoolOff = config.ModeEnforce, time.Second, time.Minute
	c.Enforce.Breaker.SharePoints = 0 // on a stage everything goes wrong within a minute, on purpose
	c.Enforce.Budget.Round, c.Enforce.Budget.Floor = 2*time.Second, 5
	c.Report.Listen, c.Report.URL = listen, "http://"+listen
	if o.Change != nil {
		o.Change(&c)
	}
	return s.write(c)
}

// write validates the configuration and keeps it for K8Guard to read.
func (s *Stage) write(c config.Config) error {
	text, err := c.YAML()
	if err != nil {
		return err
	}
	loaded, _, err := config.LoadBytes(text, config.Source{File: s.ConfigFile()})
	if err != nil {
		return fmt.Errorf("the stage's configuration: %w", err)
	}
	s.Config = loaded
	return os.WriteFile(s.ConfigFile(), text, 0o600)
}

// ConfigFile is the path of K8Guard's configuration.
func (s *Stage) ConfigFile() string { return filepath.Join(s.dir, "k8guard.yaml") }

// LedgerFile is the path of K8Guard's ledger.
func (s *Stage) LedgerFile() string { return filepath.Join(s.Config.Data.Dir, "ledger.db") }

// LogFile is the path of what every K8Guard of this stage said, one after the other.
func (s *Stage) LogFile() string { return filepath.Join(s.dir, "k8guard.log") }

func (s *Stage) passwordFile() string { return filepath.Join(s.dir, "mail-password") }

// Kubeconfig is the path of one of K8Guard's two accounts: k8guard-discover, k8guard-action.
func (s *Stage) Kubeconfig(account string) string { return s.kubeconfig(account) }

// Rewrite changes the configuration that the next K8Guard of this stage reads.
func (s *Stage) Rewrite(change func(*config.Config)) error {
	c := s.Config
	change(&c)
	return s.write(c)
}
