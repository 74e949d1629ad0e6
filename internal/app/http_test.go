package app

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// The library that counts the connections is tested where it lives; that it stands before the
// pages is looked at here.
func TestConnectionsToThePagesAreBounded(t *testing.T) {
	l, err := listenTCP(t.Context(), Settings{Config: config.Config{Report: config.Report{Listen: "127.0.0.1:0"}}, Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if kind := fmt.Sprintf("%T", l); !strings.Contains(kind, "limitListener") {
		t.Errorf("the pages are behind a %s", kind)
	}
}
