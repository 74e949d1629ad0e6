package services

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"golang.org/x/sync/errgroup"
)

// scramIterations is the least that Kafka takes.
const scramIterations = 4096

// kafkaMaker makes brokers in KRaft mode. One broker is its own controller; two have one
// beside them that is never killed, so that either broker can go.
type kafkaMaker struct{}

func (kafkaMaker) oneByOne() bool { return false }

func (kafkaMaker) prepare(ctx context.Context, s *Service, o Options) error {
	java, err := java(ctx, Kafka)
	if err != nil {
		return err
	}
	lib, err := Fetch(ctx, Kafka, o.Progress)
	if err != nil {
		return err
	}
	layout, err := layOutKafka(o.Nodes, o.Secured)
	if err != nil {
		return err
	}
	if err := os.Mkdir(s.in("conf"), 0o700); err != nil {
		return fmt.Errorf("make the folder of settings: %w", err)
	}
	if err := os.WriteFile(s.in("conf", "log4j2.properties"), []byte(log4j), 0o600); err != nil {
		return fmt.Errorf("write the log's settings: %w", err)
	}
	id := clusterID()
	var formats errgroup.Group
	for _, p := range layout.processes {
		n := &node{Name: p.name, Address: p.address(), Mutual: p.mutualAddress(), Program: java}
		s.state.Nodes = append(s.state.Nodes, n)
		file := s.in(n.Name, "server.properties")
		if err := os.MkdirAll(s.in(n.Name, "tmp"), 0o700); err != nil {
			return fmt.Errorf("make the folder of %s: %w", n.Name, err)
		}
		if err := os.WriteFile(file, []byte(layout.properties(s, p)), 0o600); err != nil {
			return fmt.Errorf("write the settings of %s: %w", n.Name, err)
		}
		jvm := kafkaJVM(s, n, lib)
		n.Args = append(jvm, "kafka.Kafka", file)
		formats.Go(func() error {
			args := append(jvm[:len(jvm):len(jvm)], "kafka.tools.StorageTool", "format", "--cluster-id="+id, "-c", file) // one argument: an identity may begin with "-"
			if out, err := exec.CommandContext(ctx, java, args...).CombinedOutput(); err != nil {
				return fmt.Errorf("format the log of %s: %w\n%s", n.Name, err, out)
			}
			return nil
		})
	}
	return formats.Wait()
}

func kafkaJVM(s *Service, n *node, lib string) []string {
	return append(smallJVM("256m", s.in(n.Name, "tmp")),
		"-Dlog4j2.configurationFile=file:"+s.in("conf", "log4j2.properties"), "-cp", filepath.Join(lib, "*"))
}

// smallJVM are the flags of a server that starts fast, and leaves nothing in the common
// temporary folder.
func smallJVM(heap, temporary string) []string {
	return []string{"-Xms" + heap, "-Xmx" + heap, "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-XX:-UsePerfData",
		"-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true", "-Djava.io.tmpdir=" + temporary}
}

func clusterID() string {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	return base64.RawURLEncoding.EncodeToString(id)
}

// ready asks the broker itself whether it is in the cluster and knows a controller.
func (kafkaMaker) ready(ctx context.Context, s *Service, n *node) error {
	if n.Address == "" { // a controller: the brokers tell
		return nil
	}
	options, err := s.kafkaOptions(n)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(append(options, kgo.RequestRetries(0))...)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer client.Close()
	known, err := kadm.NewClient(client).BrokerMetadata(ctx)
	if err != nil {
		return fmt.Errorf("ask %s for its brokers: %w", n.Name, err)
	}
	_, portText, err := net.SplitHostPort(kafkaSeed(n))
	if err != nil {
		return err
	}
	for _, b := range known.Brokers {
		if strconv.Itoa(int(b.Port)) == portText && known.Controller >= 0 {
			return nil
		}
	}
	return fmt.Errorf("%s is not yet among the brokers", n.Name)
}

// kafkaSeed is where we ask: with a certificate if there is one, since passwords come later.
func kafkaSeed(n *node) string {
	if n.Mutual != "" {
		return n.Mutual
	}
	return n.Address
}

func (s *Service) kafkaOptions(n *node) ([]kgo.Opt, error) {
	config, err := s.Access().TLS()
	if err != nil {
		return nil, err
	}
	options := []kgo.Opt{kgo.SeedBrokers(kafkaSeed(n))}
	if config != nil {
		options = append(options, kgo.DialTLSConfig(config))
	}
	return options, nil
}

// settle makes the SCRAM users, and waits until each broker knows them.
func (kafkaMaker) settle(ctx context.Context, s *Service) error {
	if !s.Access().Secured {
		return s.settled()
	}
	first, err := s.client(0)
	if err != nil {
		return err
	}
	options, err := s.kafkaOptions(first)
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer client.Close()
	var users []kadm.UpsertSCRAM
	for _, user := range []string{Admin, Guest} {
		users = append(users, kadm.UpsertSCRAM{User: user, Mechanism: kadm.ScramSha512, Iterations: scramIterations, Password: s.Access().Password})
	}
	done, err := kadm.NewClient(client).AlterUserSCRAMs(ctx, nil, users)
	if err == nil {
		err = done.Error()
	}
	if err != nil {
		return fmt.Errorf("make Kafka's users: %w", err)
	}
	for _, n := range s.state.Nodes {
		if err := s.awaitLogin(ctx, n); err != nil {
			return err
		}
	}
	return s.settled()
}

func (s *Service) awaitLogin(ctx context.Context, n *node) error {
	if n.Address == "" {
		return nil
	}
	return s.poll(ctx, n, func(ctx context.Context) error {
		config, err := s.Access().TLS()
		if err != nil {
			return err
		}
		auth := scram.Auth{User: Guest, Pass: s.Access().Password}
		client, err := kgo.NewClient(kgo.SeedBrokers(n.Address), kgo.DialTLSConfig(config), kgo.SASL(auth.AsSha512Mechanism()))
		if err != nil {
			return fmt.Errorf("make a client: %w", err)
		}
		defer client.Close()
		return client.Ping(ctx)
	})
}
