// Package compose validates deploy/compose.yaml, which CI does not run: it would pull images.
//
// Purpose: what the file says is what Compose takes and K8Guard can be started with.
//
// Concurrency: none.
//
// Guarantees: read by the library that Docker Compose itself reads it with.
//
// It will not: start a container, or ask a registry whether an image is there.
package compose

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"

	"github.com/k8guard/k8guard/internal/config"
)

func load(t *testing.T, env ...string) *types.Project {
	t.Helper()
	options, err := cli.NewProjectOptions([]string{"../../deploy/compose.yaml"}, cli.WithEnv(env), cli.WithResolvedPaths(true))
	if err != nil {
		t.Fatal(err)
	}
	project, err := options.LoadProject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return project
}

func TestComposeFile(t *testing.T) {
	p := load(t, "K8GUARD_USER=1000", "CLUSTER=mine", "DISCOVER_KUBECONFIG=/home/me/discover.kubeconfig")
	want := []string{"action", "cassandra", "discover", "kafka", "memcached", "report"}
	if got := p.ServiceNames(); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("services: %v", got)
	}
	for name, s := range p.Services {
		image, tag, _ := strings.Cut(s.Image[strings.LastIndex(s.Image, "/")+1:], ":")
		if tag == "" || tag == "latest" {
			t.Errorf("%s: image %s is not pinned", name, image)
		}
		for _, port := range s.Ports {
			if port.HostIP != "127.0.0.1" {
				t.Errorf("%s: port %s is open beyond this host", name, port.Published)
			}
		}
	}
	for _, target := range []string{"discover", "action", "report"} {
		s := p.Services[target]
		if s.Command[0] != target || s.Command[2] != s.Configs[0].Target || !s.ReadOnly || s.User != "1000" || !slices.Equal(s.CapDrop, []string{"ALL"}) {
			t.Errorf("%s: %v %+v %v %q %v", target, s.Command, s.Configs, s.ReadOnly, s.User, s.CapDrop)
		}
		usable(t, target, p, s)
	}
	if got := p.Secrets["discover"].File; got != "/home/me/discover.kubeconfig" {
		t.Errorf("discover's kubeconfig: %s", got)
	}
}

// Kafka and Cassandra are of the versions that the other tests run. Each image may be named by
// who knows better: by a digest, or of a mirror.
func TestComposeVersions(t *testing.T) {
	p := load(t)
	for name, artifact := range map[string]string{"kafka": "kafka_2.13", "cassandra": "cassandra-all"} {
		pom, err := os.ReadFile("../../tools/" + name + "/pom.xml")
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(`<artifactId>` + regexp.QuoteMeta(artifact) + `</artifactId>\s*<version>([^<]+)</version>`).FindSubmatch(pom)
		if m == nil || !strings.HasSuffix(p.Services[name].Image, ":"+string(m[1])) {
			t.Errorf("%s: image %s, and the tests run %q", name, p.Services[name].Image, m)
		}
	}
	const other = "mirror.example.com/x@sha256:0000000000000000000000000000000000000000000000000000000000000000"
	p = load(t, "KAFKA_IMAGE="+other, "CASSANDRA_IMAGE="+other, "MEMCACHED_IMAGE="+other)
	for _, name := range []string{"kafka", "cassandra", "memcached"} {
		if p.Services[name].Image != other {
			t.Errorf("%s: %s", name, p.Services[name].Image)
		}
	}
}

// usable loads the configuration as the service would, with its environment.
func usable(t *testing.T, target string, p *types.Project, s types.ServiceConfig) {
	t.Helper()
	var env []string
	for name, value := range s.Environment {
		env = append(env, name+"="+*value)
	}
	c, _, err := config.LoadBytes([]byte(p.Configs["k8guard"].Content), config.Source{File: "compose.yaml", Env: env})
	if err != nil {
		t.Fatalf("%s: %v", target, err)
	}
	if c.Cluster.Name != "mine" || c.Bus.Kind != config.BusKafka || c.Ledger.Kind != config.LedgerCassandra || !c.Report.Loopback() {
		t.Errorf("%s: %+v", target, c)
	}
	if (target == "discover") != (c.Cluster.Kubeconfig == "/run/secrets/discover") {
		t.Errorf("%s: kubeconfig %q", target, c.Cluster.Kubeconfig)
	}
	for at, what := range map[string]string{c.Bus.Kafka.Brokers[0]: "kafka", c.Ledger.Cassandra.Hosts[0] + ":9042": "cassandra", c.Cache.Memcached.Servers[0] + ":11211": "memcached"} {
		if port := p.Services[what].Ports[0]; port.HostIP+":"+port.Published != at {
			t.Errorf("%s looks for %s at %s, and it is at %s:%s", target, what, at, port.HostIP, port.Published)
		}
	}
}
