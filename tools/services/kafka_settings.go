package services

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/k8guard/k8guard/tools/daemon"
)

const log4j = `rootLogger.level=INFO
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d{ISO8601} %p %m (%c)%n%throwable
`

const controllerID = 100

// kafkaProcess is a broker, a controller, or both.
type kafkaProcess struct {
	name, roles                string
	id                         int
	client, mutual, controller int // ports; 0: does not listen there
}

func (p kafkaProcess) address() string       { return listenAt(p.client) }
func (p kafkaProcess) mutualAddress() string { return listenAt(p.mutual) }

func listenAt(port int) string {
	if port == 0 {
		return ""
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// kafkaLayout is the cluster: who listens where.
type kafkaLayout struct {
	brokers   int
	secured   bool
	voter     kafkaProcess
	processes []kafkaProcess
}

func layOutKafka(brokers int, secured bool) (kafkaLayout, error) {
	l := kafkaLayout{brokers: brokers, secured: secured}
	ports, err := daemon.FreePorts(2*brokers + 1)
	if err != nil {
		return l, err
	}
	for i := range brokers {
		p := kafkaProcess{name: fmt.Sprintf("broker-%d", i+1), id: i + 1, roles: "broker", client: ports[2*i]}
		if secured {
			p.mutual = ports[2*i+1]
		}
		l.processes = append(l.processes, p)
	}
	controller := ports[2*brokers]
	if brokers == 1 {
		l.processes[0].roles, l.processes[0].controller = "broker,controller", controller
		l.voter = l.processes[0]
		return l, nil
	}
	l.voter = kafkaProcess{name: "controller", id: controllerID, roles: "controller", controller: controller}
	l.processes = append([]kafkaProcess{l.voter}, l.processes...)
	return l, nil
}

// properties are the settings of one process.
func (l kafkaLayout) properties(s *Service, p kafkaProcess) string {
	copies := strconv.Itoa(l.brokers)
	lines := []string{
		"process.roles=" + p.roles, "node.id=" + strconv.Itoa(p.id),
		fmt.Sprintf("controller.quorum.voters=%d@%s", l.voter.id, listenAt(l.voter.controller)),
		"controller.listener.names=CONTROLLER", "log.dirs=" + s.in(p.name, "data"),
		"auto.create.topics.enable=false", "default.replication.factor=" + copies, "min.insync.replicas=1",
		"offsets.topic.replication.factor=" + copies, "offsets.topic.num.partitions=3",
		"transaction.state.log.replication.factor=" + copies, "transaction.state.log.min.isr=1",
		"transaction.state.log.num.partitions=3",
		"share.coordinator.state.topic.replication.factor=" + copies, "share.coordinator.state.topic.min.isr=1",
		"group.initial.rebalance.delay.ms=0", "log.cleaner.dedupe.buffer.size=8388608",
		"num.network.threads=2", "num.io.threads=2", "controlled.shutdown.enable=false",
		// A broker that was killed may come back only when its session is over.
		"broker.session.timeout.ms=4000", "broker.heartbeat.interval.ms=500",
	}
	return strings.Join(slices.Concat(lines, l.listeners(p), l.security(s)), "\n") + "\n"
}

func (l kafkaLayout) listeners(p kafkaProcess) []string {
	var listen, advertise []string
	for _, at := range []struct {
		name string
		port int
	}{{"CLIENT", p.client}, {"MUTUAL", p.mutual}} {
		if at.port != 0 {
			listen = append(listen, at.name+"://"+listenAt(at.port))
		}
	}
	advertise = slices.Clone(listen)
	if p.controller != 0 {
		listen = append(listen, "CONTROLLER://"+listenAt(p.controller))
	}
	lines := []string{"listeners=" + strings.Join(listen, ",")}
	if len(advertise) == 0 {
		return lines // a controller alone may advertise nothing and has no broker's listener
	}
	between := "CLIENT"
	if l.secured {
		between = "MUTUAL"
	}
	return append(lines, "advertised.listeners="+strings.Join(advertise, ","), "inter.broker.listener.name="+between)
}

func (l kafkaLayout) security(s *Service) []string {
	if !l.secured {
		return []string{"listener.security.protocol.map=CLIENT:PLAINTEXT,CONTROLLER:PLAINTEXT"}
	}
	password := s.Access().Password
	return []string{
		"listener.security.protocol.map=CLIENT:SASL_SSL,MUTUAL:SSL,CONTROLLER:SSL",
		"ssl.keystore.type=PEM", "ssl.keystore.location=" + s.serverPEM(),
		"ssl.truststore.type=PEM", "ssl.truststore.location=" + s.Access().CA,
		"ssl.client.auth=required", "listener.name.client.ssl.client.auth=none",
		"ssl.principal.mapping.rules=RULE:^CN=([^,]*)$/$1/,DEFAULT",
		"sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN",
		"listener.name.client.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;",
		fmt.Sprintf(`listener.name.client.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_%s="%s" user_%s="%s";`,
			Admin, password, Guest, password),
		"authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
		"super.users=User:" + Admin + ";User:" + string(Kafka),
	}
}
