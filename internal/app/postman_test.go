package app

import (
	"context"
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
	log := &lineLog{text: make(chan string, 10)}
	p := &postman{in: &instance{Settings: Settings{Config: c, Log: slog.New(slog.NewTextHandler(log, nil))}}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- p.open(ctx) }()
	select {
	case text := <-log.text:
		if !strings.Contains(text, "Kafka does not take") || !strings.Contains(text, "passwordFile") {
			t.Errorf("it says %s", text)
		}
	case err := <-ended:
		t.Fatalf("it ended: %v", err)
	}
	if err := p.Pass(ctx, v1.Message{}); err == nil || !strings.Contains(err.Error(), "nobody is told at once") {
		t.Errorf("an order says %v", err)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if err := p.close(t.Context()); err != nil {
		t.Error(err)
	}
}

// lineLog is a log that passes each line on.
type lineLog struct{ text chan string }

func (s *lineLog) Write(p []byte) (int, error) {
	s.text <- string(p)
	return len(p), nil
}
