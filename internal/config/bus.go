package config

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

func (c *checker) bus(b Bus) {
	c.oneOf("bus.kind", b.Kind, BusMemory, BusKafka)
	if b.Kind == BusKafka {
		c.kafka(b.Kafka)
	}
}

func (c *checker) kafka(k Kafka) {
	const key = "bus.kafka."
	c.bad(len(k.Brokers) == 0, key+"brokers", "is missing; list some brokers, as host:port")
	for i, b := range k.Brokers {
		host, port, err := net.SplitHostPort(b)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		c.bad(err != nil || host == "", fmt.Sprintf("%sbrokers[%d]", key, i), "is no address; write host:port")
	}
	name := regexp.MustCompile(`^[A-Za-z0-9._-]{1,200}$`).MatchString
	c.bad(!name(k.Prefix), key+"prefix", "is no name; write letters, digits, dot, _ and -")
	c.bad(k.Group != "" && !name(k.Group), key+"group", "is no name; write letters, digits, dot, _ and -, or leave it out")
	c.bad(k.FirstTopic != "" && !name(k.FirstTopic), key+"firstTopic", "is no name; write the topic of K8GUARD_KAFKA_ACTION_TOPIC, or leave it out")
	c.bad(k.FirstTopic != "" && strings.HasPrefix(k.FirstTopic, k.Prefix+"."), key+"firstTopic", "is one of our own topics, or may become one; write the first K8Guard's")
	c.bad(k.Partitions < 1 || k.Partitions > 1024, key+"partitions", "is not between 1 and 1024; write 12 or more, and at least one for each replica of action")
	c.bad(k.Replication < 0 || k.Replication > 9, key+"replication", "is not between 0 and 9; write 3 where there are three brokers")
	c.positive(key+"retention", k.Retention)
	c.clientTLS(key+"tls", k.TLS)
	c.sasl(key+"sasl.", k.SASL)
}

func (c *checker) sasl(key string, s SASL) {
	known := []string{"", SASLPlain, SASLScram256, SASLScram512, SASLToken}
	c.bad(!slices.Contains(known, s.Mechanism), key+"mechanism", "is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER; write what the brokers take")
	secret := !s.Password.Empty() || s.PasswordFile != ""
	switch s.Mechanism {
	case "":
		c.bad(s.Username != "" || secret || s.TokenFile != "", key+"mechanism", "is missing beside a login; write SCRAM-SHA-512, or what the brokers take")
	case SASLToken:
		c.bad(s.TokenFile == "", key+"tokenFile", "is missing; write a file that holds the token")
	default:
		c.bad(s.Username == "", key+"username", "is missing; write whose the password is")
		c.bad(!secret, key+"passwordFile", "is missing; write a file that holds the password")
	}
}

func (c *checker) clientTLS(key string, t ClientTLS) {
	c.bad(!t.Enabled && t != ClientTLS{}, key+".enabled", "is false beside other keys of tls; write true, or leave them out")
	c.bad((t.CertFile == "") != (t.KeyFile == ""), key, "has one of certFile and keyFile; write both")
}

func (c *checker) clusters(all []ActingCluster) {
	seen := map[string]int{}
	for i, a := range all {
		key := fmt.Sprintf("clusters[%d].", i)
		first, taken := seen[a.Name]
		c.bad(a.Name == "", key+"name", "is missing; write what discover calls the cluster")
		c.bad(a.Name != "" && taken, key+"name", fmt.Sprintf("is %s, as clusters[%d].name is; write what discover calls this cluster", a.Name, first))
		c.bad(a.ActionKubeconfig == "", key+"actionKubeconfig", "is missing; write the kubeconfig of the account that enforces there")
		if !taken {
			seen[a.Name] = i
		}
	}
}

// warnBus names settings of the bus that are legal and probably not meant.
func warnBus(b Bus) (all []Warning) {
	if b.Kind == BusKafka && b.Kafka.SASL.Mechanism != "" && !b.Kafka.TLS.Enabled {
		all = append(all, Warning{"bus.kafka.tls.enabled", "is false: the login goes over the network in clear"})
	}
	return all
}
