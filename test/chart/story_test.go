package chart

import (
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"k8s.io/client-go/kubernetes"

	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/daemon"
	"github.com/k8guard/k8guard/tools/mailsink"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// TestStory installs the chart with an account that acts, runs its pod with what is installed,
// and lets it warn of, and act on, one root of each kind; then all is taken back. What it asked
// the API server for is compared with what the release grants.
func TestStory(t *testing.T) {
	s := newStory(t, storyValues+storyAlone)
	p := s.pod("k8guard", "")
	s.plays(p, p)
}

// TestStoryOfServices is the same over discover, action and report, on a real Kafka and Cassandra,
// with the pages exposed: who reads them is asked about by each service's own account.
func TestStoryOfServices(t *testing.T) {
	newHelm(t)
	kafka, cassandra := servicestest.Start(t, services.Kafka), servicestest.Start(t, services.Cassandra)
	s := newStory(t, "mode: services\n"+storyValues+fmt.Sprintf(storyServices, kafka.Addresses()[0], cassandra.Addresses()[0])+storyExposed)
	var all []*pod
	for _, name := range []string{"discover", "action", "report"} { // they share one loopback here
		all = append(all, s.pod("k8guard-"+name, freeAddress(t)))
	}
	s.plays(all[2], all...)
}

// story is a cluster with the chart on it, and a mail server.
type story struct {
	*kubelet
	mail      *mailsink.Sink
	chat      *recorder
	authority *x509.CertPool    // of the exposed pages
	tokens    map[string]string // of who reads them
}

func newStory(t *testing.T, values string) *story {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("a pod's root folder wants root")
	}
	g := newGround(t)
	dir, err := os.MkdirTemp("", "k8guard-c-")
	must(t, err)
	t.Cleanup(func() {
		if !t.Failed() {
			_ = os.RemoveAll(dir)
		}
	})
	must(t, os.Chmod(dir, 0o711))
	mail, err := mailsink.Start(mailsink.Options{Dir: filepath.Join(dir, "mail"), User: "k8guard", Password: "loopback-only"})
	must(t, err)
	t.Cleanup(func() { _ = mail.Close() })
	config, err := g.cluster.RESTConfig()
	must(t, err)
	client, err := kubernetes.NewForConfig(config)
	must(t, err)
	s := &story{kubelet: &kubelet{ground: g, client: client, program: build(t, dir), dir: dir}, mail: mail, chat: newRecorder(t)}
	s.install(values)
	return s
}

// plays waits for the acts, takes them back by the program of the pod that is asked, and judges.
func (s *story) plays(asked *pod, all ...*pod) {
	t := s.t
	t.Helper()
	for _, p := range all {
		s.until("the pod is ready", 2*time.Minute, p.ready)
	}
	s.apply(bad)
	s.until("everything is acted on", 3*time.Minute, func() (string, bool) {
		left := s.going()
		return fmt.Sprint(left, all[len(all)/2].tail()), len(left) == 0
	})
	if n := len(s.mail.Messages()); n < 2 {
		t.Errorf("%d mails, want two warnings at least", n)
	}
	s.until("every channel came with its own secret", time.Minute, func() (string, bool) {
		channels, wrong := s.chat.heard()
		return fmt.Sprint(channels, wrong, all[len(all)/2].tail()), slices.Equal(channels, []string{"alertmanager", "hipchat", "slack", "webhook"}) && len(wrong) == 0
	})
	s.until("the pod that is asked knows of all acts", time.Minute, func() (string, bool) {
		out, err := asked.exec("cases", "--status", "acted", "-o", "json")
		return fmt.Sprint(out, err), strings.Contains(out, `"total":6}`)
	})
	if s.authority != nil {
		s.readers()
		s.reads(asked)
		for _, p := range all {
			s.scrapes(p)
		}
	}
	if out, err := asked.exec("undo", "--since", "1h", "--every", "100ms", "--reason", "the story's end"); err != nil {
		t.Errorf("undo: %v\n%s\n%s", err, out, asked.tail())
	}
	s.until("everything is back", 2*time.Minute, func() (string, bool) {
		back := s.going()
		return fmt.Sprint(back, asked.tail()), len(back) == 6
	})
	for _, p := range all {
		p.stop()
	}
	events, err := audit.Read(s.cluster.AuditLog())
	must(t, err)
	counts, refused := used(events)
	table, wrong := compare(granted(t, s.client, "k8guard"), counts, refused, unused)
	t.Logf("granted and used\n%-17s %-62s %-7s %6s\n%s", "account", "resource", "verb", "used", table)
	for _, w := range wrong {
		t.Error(w)
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	ports, err := daemon.FreePorts(1)
	must(t, err)
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0]))
}

// unused says why a right is there that this story does not need.
func unused(g grant) string {
	switch {
	case g.account == "k8guard-discover" && g.verb == "list":
		return "only where the API server does not stream (internal/cluster)"
	case g.account == "k8guard-action" && g.verb == "patch" && !strings.Contains(g.resource, "/"):
		return "the fence, when an act of one who died is settled (internal/enforce, TestSettle)"
	}
	return ""
}

// install makes the Secrets that a platform team would, allows enforcement, and installs.
func (s *story) install(text string) {
	s.t.Helper()
	_, port, err := net.SplitHostPort(s.mail.SMTPAddr())
	must(s.t, err)
	values := filepath.Join(s.dir, "values.yaml")
	text = strings.NewReplacer("API", s.cluster.URL(), "MAIL", port, "CHAT", s.chat.URL, "LISTEN", freeAddress(s.t)).Replace(text)
	must(s.t, os.WriteFile(values, []byte(text), 0o600))
	s.kubectl("-n", "k8guard", "create", "secret", "generic", "k8guard-smtp", "--from-literal=password=loopback-only")
	s.kubectl("-n", "k8guard", "create", "secret", "generic", "k8guard-ca", "--from-file=ca.crt="+s.mail.CAFile())
	s.secrets()
	if strings.Contains(text, storyExposed) {
		s.certified()
	}
	s.kubectl("-n", "k8guard", "create", "configmap", "k8guard-permit", "--from-literal=enforcement=enabled")
	s.run("install", "k8guard", chartDir, "--namespace", "k8guard", "--values", values)
	if strings.HasPrefix(text, "mode: services") {
		return
	}
	s.until("the token is filled in", time.Minute, func() (string, bool) {
		out := s.kubectl("-n", "k8guard", "get", "secret", "k8guard-action-token", "-o", "jsonpath={.data.token}")
		return out, out != ""
	})
}

// going are the roots of the shop that still do what they did.
func (g *ground) going() (names []string) {
	g.t.Helper()
	out := g.kubectl("-n", "shop", "get", "deployments,statefulsets,replicasets,cronjobs,jobs,ingresses", "-o",
		`jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.ownerReferences[0].kind} {.spec.replicas} {.spec.suspend}{"\n"}{end}`)
	for line := range strings.Lines(out) {
		name, state, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch state {
		case " 0 ", "  true": // at zero, or suspended
		default:
			if !strings.HasPrefix(state, "Deployment ") { // its own replica set
				names = append(names, name)
			}
		}
	}
	return names
}

// build is the image's program, as make image builds it.
func build(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "program")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-tags", "grpcnotrace,kustomize_disable_go_plugin_support", "-ldflags", "-s -w", "-o", path, "./cmd/k8guard")
	cmd.Dir, cmd.Env = "../..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}
