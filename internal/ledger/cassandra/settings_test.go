package cassandra_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/ledger/cassandra"
)

func TestSettingsReadTheirFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	from := func(c config.Cassandra) (cassandra.Settings, error) {
		return cassandra.FromConfig(c, time.Hour, time.Now, slog.New(slog.DiscardHandler))
	}
	password := write("password", "first\n")
	s, err := from(config.Cassandra{Username: "k", Password: config.NewSecret("other"), PasswordFile: password, TLS: config.ClientTLS{Enabled: true, ServerName: "c.example"}})
	if err != nil || s.TLS == nil || s.TLS.ServerName != "c.example" || s.TLS.InsecureSkipVerify {
		t.Fatalf("%+v, %v", s.TLS, err)
	}
	for _, want := range []string{"first", "second"} { // it is read at each connection
		if got, err := s.Password(); err != nil || got != want {
			t.Errorf("password %q, %v; want %q", got, err, want)
		}
		write("password", "second")
	}
	if s, err := from(config.Cassandra{}); err != nil || s.TLS != nil || s.Password != nil {
		t.Errorf("nothing named: %+v, %v", s, err)
	}
	noise := write("noise.pem", "no certificate")
	for want, c := range map[string]config.Cassandra{
		"ledger.cassandra.passwordFile":             {Username: "k", PasswordFile: filepath.Join(dir, "none")},
		"ledger.cassandra.tls.caFile":               {TLS: config.ClientTLS{Enabled: true, CAFile: filepath.Join(dir, "none")}},
		"holds no certificate":                      {TLS: config.ClientTLS{Enabled: true, CAFile: noise}},
		"ledger.cassandra.tls.certFile and keyFile": {TLS: config.ClientTLS{Enabled: true, CertFile: noise, KeyFile: noise}},
	} {
		if _, err := from(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
