package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// What lasts is said at once, when it changes, and then once a minute.
func TestAnOutageIsSaidSparsely(t *testing.T) {
	from := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var o outage
	for _, step := range []struct {
		at   time.Duration
		text string
		away time.Duration
		say  bool
	}{
		{0, "connection refused", 0, true},
		{time.Second, "connection refused", 0, false},
		{2 * time.Second, "read tcp 127.0.0.1:50001: reset", 2 * time.Second, true},
		{3 * time.Second, "read tcp 127.0.0.1:50002: reset", 0, false}, // a port of ours
		{61 * time.Second, "read tcp 127.0.0.1:50003: reset", 0, false},
		{62 * time.Second, "read tcp 127.0.0.1:50004: reset", 62 * time.Second, true},
		{63 * time.Second, "connection refused", 63 * time.Second, true},
		{10 * time.Second, "connection refused", 10 * time.Second, true}, // the clock was put back
	} {
		if away, say := o.ask(errors.New(step.text), from.Add(step.at)); away != step.away || say != step.say {
			t.Errorf("after %s, %s: %s, %v", step.at, step.text, away, say)
		}
	}
}

// Each answer of an API server is called what it is, with what helps against it.
func TestWhatARefusalMeans(t *testing.T) {
	no, pod := apierrors.NewUnauthorized("no"), account{name: "discover", key: "cluster.kubeconfig"}
	named := account{name: "discover", key: "cluster.kubeconfig", path: "x"}
	for name, test := range map[string]struct {
		err     error
		of      account
		reloads bool
		log     string
		next    string
	}{
		"run":           {no, named, true, notKnown, "if it lasts, make it anew (sh deploy/kubeconfig.sh k8guard-discover), then send K8Guard SIGHUP"},
		"a service":     {no, named, false, notKnown, "then start K8Guard again"},
		"in a pod":      {no, pod, true, notKnown, "see that the pod's ServiceAccount is there, and start the pod anew"},
		"action":        {no, account{name: "action", path: "x"}, true, notKnown, "(sh deploy/kubeconfig.sh k8guard-action)"},
		"no right":      {apierrors.NewForbidden(schema.GroupResource{Resource: "namespaces"}, "", nil), named, true, notAllowed, "if it lasts, apply deploy/rbac-discover.yaml"},
		"readers":       {apierrors.NewForbidden(schema.GroupResource{}, "", nil), account{name: "report"}, true, notAllowed, "deploy/rbac-report.yaml"},
		"away":          {errors.New("connection refused"), named, true, notThere, "check cluster.kubeconfig and that the server is up"},
		"another fault": {apierrors.NewInternalError(errors.New("etcd")), named, true, notThere, "that the server is up"},
	} {
		var log strings.Builder
		waits := ""
		ctx, cancel := context.WithCancel(t.Context())
		in := &instance{Settings: Settings{Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil))}, waits: func(text string) { waits = text }}
		if test.reloads {
			in.Reload = &Reload{}
		}
		tries := 0
		err := in.await(ctx, test.of, func(context.Context) error {
			if tries++; tries < 2 {
				return test.err
			}
			cancel() // it stops at the second try
			return test.err
		})
		if said := log.String(); !errors.Is(err, context.Canceled) || strings.Count(said, "level=WARN") != 1 || !strings.Contains(said, test.log+"; trying again") || !strings.Contains(said, test.next) {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
		if !strings.HasPrefix(waits, "not ready: "+test.log+"; ") || !strings.Contains(waits, test.next) {
			t.Errorf("%s waits for %q", name, waits)
		}
	}
}
