package kafka_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus/kafka"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

// death kills the only broker under a publisher and a consumer at work: the publisher waits
// with a full buffer, and after the restart everything arrives, in order.
func death(t *testing.T, broker *services.Service) {
	const all, buckets, buffer = 1200, 10, 50
	p, c := open(t, kafka.Settings{Brokers: broker.Addresses(), Prefix: "death", Partitions: 4, Buffer: buffer})
	w := &witness{last: map[int]int{}, busy: map[int]bool{}, members: map[int]bool{}}
	consume(t, c, w.handle(t, 0))
	sent, killed := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(sent)
		for n := range all {
			if n == all/3 {
				close(killed)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
			if err := p.Publish(ctx, inventory(n%buckets, n/buckets+1)); err != nil {
				t.Error(err)
			}
			cancel()
		}
	}()
	<-killed
	if err := broker.Kill(0); err != nil {
		t.Fatal(err)
	}
	w.await(t, func() bool { return p.Buffered() >= buffer }) // and no more
	if n := p.Buffered(); n > buffer {
		t.Errorf("%d messages are held, %d are allowed", n, buffer)
	}
	if err := broker.Restart(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	w.await(t, func() bool {
		for bucket := range buckets {
			if w.last[bucket] != all/buckets {
				return false
			}
		}
		return true
	})
	<-sent
}

func TestLogins(t *testing.T) {
	broker := servicestest.StartWith(t, services.Kafka, services.Options{Secured: true})
	config, err := broker.Access().TLS()
	if err != nil {
		t.Fatal(err)
	}
	password := broker.Access().Password
	at, mutual := broker.Addresses(), broker.MutualAddresses()
	login := func(mechanism, user, password string) kafka.Login {
		return kafka.Login{Mechanism: mechanism, User: user, Password: password}
	}
	t.Run("guest", func(t *testing.T) {
		lessPower(t, broker, kafka.Settings{Brokers: at, TLS: config, Login: login("SCRAM-SHA-512", services.Guest, password), Prefix: "denied"})
	})
	for name, s := range map[string]kafka.Settings{
		"SCRAM":       {Brokers: at, TLS: config, Login: login("SCRAM-SHA-512", services.Admin, password)},
		"PLAIN":       {Brokers: at, TLS: config, Login: login("PLAIN", services.Admin, password)},
		"certificate": {Brokers: mutual, TLS: config},
	} {
		t.Run(name, func(t *testing.T) {
			s.Prefix = strings.ToLower(name)
			p, c := open(t, s)
			got := make(chan v1.Message, 1)
			consume(t, c, func(_ context.Context, m v1.Message) error { got <- m; return nil })
			publish(t, p, inventory(1, 1))
			next(t, got)
		})
	}
	wrong := kafka.Settings{Brokers: at, TLS: config, Login: login("SCRAM-SHA-512", services.Admin, "wrong")}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if p, err := kafka.NewPublisher(ctx, wrong); err == nil {
		closed(t, p.Close)
		t.Error("a wrong password gets in")
	} else if strings.Contains(err.Error(), "wrong\"") {
		t.Errorf("the error tells the password: %v", err)
	}
}

// lessPower opens the bus as one who may not make topics: told what to do, and let in when
// somebody has done it.
func lessPower(t *testing.T, broker *services.Service, guest kafka.Settings) {
	const command = "kafka-topics.sh --create --topic denied.observations"
	if err := publisher(t, guest); err == nil || !strings.Contains(err.Error(), command) {
		t.Errorf("one who may not see topics: %v, want what to do", err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.MutualAddresses()...), kgo.DialTLSConfig(guest.TLS))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	rights := kadm.NewACLs().Allow("User:"+services.Guest).AllowHosts().Topics(guest.Prefix+".").Groups(guest.Prefix+".").
		ResourcePatternType(kadm.ACLPatternPrefixed).Operations(kadm.OpDescribe, kadm.OpRead, kadm.OpWrite)
	made, err := kadm.NewClient(client).CreateACLs(t.Context(), rights)
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range made {
		if one.Err != nil {
			t.Fatal(one.Err)
		}
	}
	if err := publisher(t, guest); err == nil || !strings.Contains(err.Error(), command) || !strings.Contains(err.Error(), "create topic denied.") {
		t.Errorf("one who may not make topics: %v, want what to do", err)
	}
	admin := guest
	admin.Brokers, admin.Login = broker.MutualAddresses(), kafka.Login{}
	if err := publisher(t, admin); err != nil {
		t.Fatal(err)
	}
	guest.CheckOnly = true
	p, c := open(t, guest)
	got := make(chan v1.Message, 1)
	consume(t, c, func(_ context.Context, m v1.Message) error { got <- m; return nil })
	publish(t, p, inventory(1, 1))
	next(t, got)
}
