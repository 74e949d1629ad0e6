package app

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
)

// A report goes on though what it needs for Kafka is wrong: who acts finds the orders by itself.
func TestAReportOutlivesAKafkaThatRefusesIt(t *testing.T) {
	c := config.Default()
	c.Bus.Kind, c.Bus.Kafka.Brokers = config.BusKafka, []string{"127.0.0.1:1"}
	c.Bus.Kafka.SASL = config.SASL{Mechanism: "PLAIN", Username: "k8guard", PasswordFile: filepath.Join(t.TempDir(), "none")}
	waited := make(chan string, 100)
	p := &postman{in: &instance{Settings: Settings{Config: c, Log: slog.New(slog.DiscardHandler)}, waits: func(text string) { waited <- text }}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.open(ctx) }()
	select {
	case <-waited:
	case err := <-ended:
		t.Fatalf("it ended: %v", err)
	}
	if err := p.Pass(ctx, v1.Message{}); err == nil || !strings.Contains(err.Error(), "nobody is told at once") {
		t.Errorf("an order says %v", err)
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := p.close(t.Context()); err != nil {
		t.Error(err)
	}
}
