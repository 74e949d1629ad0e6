package app

import (
	"cmp"
	"log/slog"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/twmb/franz-go/pkg/kfake"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/bus/kafka"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger/sqlite"
	"github.com/k8guard/k8guard/internal/telemetry"
)

// recorder is a registry that knows what was registered with it, also what has no value yet.
type recorder struct {
	*prometheus.Registry
	all []prometheus.Collector
}

func newRecorder() *recorder { return &recorder{Registry: telemetry.NewRegistry("v", "c")} }

func (r *recorder) Register(c prometheus.Collector) error {
	r.all = append(r.all, c)
	return r.Registry.Register(c)
}

func (r *recorder) MustRegister(all ...prometheus.Collector) {
	for _, c := range all {
		if err := r.Register(c); err != nil {
			panic(err)
		}
	}
}

// measure is one metric of the catalogue.
type measure struct {
	name, kind, help string
	labels, targets  []string
}

// list reads off what was registered: the names, helps and labels as they are described, and
// the types from the values, or from the Go type of what has none yet.
func (r *recorder) list(t *testing.T) map[string]measure {
	t.Helper()
	all := map[string]measure{"k8guard_build_info": {name: "k8guard_build_info", kind: "gauge",
		help: "Always 1; its labels say which build runs.", labels: []string{"commit", "goversion", "version"}}}
	for _, c := range r.all {
		kinds := kindsOf(t, c)
		for _, desc := range described(c) {
			m := parse(t, desc.String())
			m.kind = cmp.Or(kinds[desc.String()], kindOfVec(c))
			if m.kind == "" {
				t.Errorf("%s has no value, and its type is not known: give it one from the start", m.name)
			}
			all[m.name] = m
		}
	}
	return all
}

func described(c prometheus.Collector) (all []*prometheus.Desc) {
	to := make(chan *prometheus.Desc)
	go func() { c.Describe(to); close(to) }()
	for d := range to {
		all = append(all, d)
	}
	return all
}

func kindsOf(t *testing.T, c prometheus.Collector) map[string]string {
	to, kinds := make(chan prometheus.Metric), map[string]string{}
	go func() { c.Collect(to); close(to) }()
	for m := range to {
		var value dto.Metric
		if err := m.Write(&value); err != nil {
			t.Error(err)
		}
		switch {
		case value.Counter != nil:
			kinds[m.Desc().String()] = "counter"
		case value.Gauge != nil:
			kinds[m.Desc().String()] = "gauge"
		case value.Histogram != nil:
			kinds[m.Desc().String()] = "histogram"
		}
	}
	return kinds
}

func kindOfVec(c prometheus.Collector) string {
	switch c.(type) {
	case *prometheus.CounterVec:
		return "counter"
	case *prometheus.HistogramVec:
		return "histogram"
	}
	return ""
}

// parse takes a description apart, which the library gives as text alone.
func parse(t *testing.T, text string) measure {
	t.Helper()
	found := regexp.MustCompile(`^Desc{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*")(?:, unit: "\w*")?, constLabels: {(.*)}, variableLabels: {(.*)}}$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("the library describes metrics in another way now: %s", text)
	}
	name, err1 := strconv.Unquote(found[1])
	help, err2 := strconv.Unquote(found[2])
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	m := measure{name: name, help: help}
	for _, label := range regexp.MustCompile(`(\w+)=`).FindAllStringSubmatch(found[3], -1) {
		m.labels = append(m.labels, label[1])
	}
	for label := range strings.SplitSeq(found[4], ",") {
		if label != "" {
			m.labels = append(m.labels, label)
		}
	}
	slices.Sort(m.labels)
	return m
}

// catalogue is every metric of every target, by name.
func catalogue(t *testing.T) []measure {
	t.Helper()
	all := map[string]measure{}
	for _, target := range []struct {
		name string
		wire func(*testing.T, *recorder)
	}{{"run", wireRun}, {"discover", wireDiscover}, {"action", wireAction}, {"report", wireReport}} {
		r := newRecorder()
		target.wire(t, r)
		for name, m := range r.list(t) {
			if before, ok := all[name]; ok {
				if before.kind != m.kind || before.help != m.help || !slices.Equal(before.labels, m.labels) {
					t.Errorf("%s differs between targets: %+v, %+v", name, before, m)
				}
				m.targets = before.targets
			}
			m.targets = append(m.targets, target.name)
			all[name] = m
		}
	}
	return slices.SortedFunc(maps.Values(all), func(a, b measure) int { return cmp.Compare(a.name, b.name) })
}

// catalogueSettings name a cluster and a broker, neither of which does anything.
func catalogueSettings(t *testing.T) Settings {
	t.Helper()
	fake, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(fake.Close)
	c := config.Default()
	c.Cluster.Kubeconfig, c.Cluster.Name, c.Data.Dir = kubeconfigOf(t, &far{uid: "u"}), "here", t.TempDir()
	c.Cluster.ActionKubeconfig = c.Cluster.Kubeconfig
	c.Bus.Kafka.Brokers, c.Bus.Kafka.CreateTopics, c.Bus.Kafka.Replication = fake.ListenAddrs(), true, 1
	c.Notify.Email.Host, c.Notify.Email.From, c.Notify.Email.Domains = "127.0.0.1", "k8guard@example.com", []string{"example.com"}
	return Settings{Config: c, Version: "v", Commit: "c", Now: time.Now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
}

func ledgerOf(t *testing.T) *sqlite.Ledger {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), LedgerFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

func imagesOf(t *testing.T, s Settings) *images {
	t.Helper()
	known, err := openImages(s.Config.Cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = known.close() })
	return known
}

func wired(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func wireRun(t *testing.T, r *recorder) {
	s := catalogueSettings(t)
	store := ledgerOf(t)
	in, err := newHouse(s, store, store, imagesOf(t, s)).buildOver(t.Context(), s.Config, r)
	wired(t, err)
	_, _, err = in.doors()
	wired(t, err, in.action.Gained(t.Context(), docket.AllBuckets()))
}

func wireDiscover(t *testing.T, r *recorder) {
	s := catalogueSettings(t)
	in := measured(s, r)
	in.images = imagesOf(t, s)
	watcher, err := in.wireWatch(t.Context())
	wired(t, err)
	settings, err := in.kafkaSettings("u")
	wired(t, err)
	publisher, err := kafka.NewPublisher(t.Context(), settings)
	wired(t, err)
	t.Cleanup(func() { _ = closeKafka(t.Context(), publisher) })
	wired(t, publisher.Measure(r), in.wireDiscover(watcher, publisher, 1))
}

func wireAction(t *testing.T, r *recorder) {
	in := measured(catalogueSettings(t), r)
	in.store = ledgerOf(t)
	wired(t, in.wireRules(), in.measureRules())
	consumer, err := in.openKafka(t.Context())
	wired(t, err)
	t.Cleanup(func() { _ = closeKafka(t.Context(), consumer) })
	wired(t, consumer.Measure(r, in.Now), in.wireAction(consumer, []v1.Cluster{{Name: "here", UID: "u"}}, false), in.measureAction())
	wired(t, in.action.Gained(t.Context(), docket.AllBuckets()))
	_, _, err = in.greet(t.Context(), acting(in.Config)[0])
	wired(t, err)
}

func wireReport(t *testing.T, r *recorder) {
	in := measured(catalogueSettings(t), r)
	store := ledgerOf(t)
	in.store, in.shown = store, store
	wired(t, in.wireRules(), in.wireAction(&postman{in: in}, []v1.Cluster{{Name: "here"}}, false))
	_, _, err := in.doors()
	wired(t, err)
	in.Config.Report.Login = config.LoginToken
	wired(t, in.learnCluster(t.Context()))
}
