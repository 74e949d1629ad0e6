package alertmanager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/notify"
	"github.com/k8guard/k8guard/internal/notify/notifytest"
	"github.com/k8guard/k8guard/tools/services/servicestest"
)

const patience = 30 * time.Second

// Debian's Alertmanager takes our alerts: one for each case, which it tells its receiver of when
// the case is warned of, and again when it is resolved. Hostile text is nothing but values.
func TestTheRealAlertmanager(t *testing.T) {
	heard := receiver(t)
	base := startReal(t, heard.url)
	c, err := New(config.Alertmanager{URL: base}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	send := func(d notify.Digest, after time.Duration) {
		d.At, d.Items[0].NextAt = now.Add(after), now.Add(24*time.Hour)
		if out := c.Send(t.Context(), d); out.State != notify.Confirmed {
			t.Fatalf("%+v", out)
		}
	}
	sample := func(purpose string) notify.Digest {
		d := notifytest.Sample("n/1", []string{"a@example.com"})
		d.Items[0].Purpose = purpose
		return d
	}
	send(sample("warning"), -2*time.Second)
	send(sample("warning"), -time.Second) // the second warning is the same alert
	hostile := notifytest.Hostile("n/2", []string{"a@example.com"})
	hostile.Items[0].Case = "c2"
	send(hostile, -time.Second)
	firing := alertsIn(t, base)
	if len(firing) != 2 {
		t.Fatalf("%d alerts: %v", len(firing), firing)
	}
	for _, a := range firing {
		if a.Labels["alertname"] != AlertName || a.Labels["rule"] != "IMAGE_REPO" || time.Until(a.EndsAt) < 3*24*time.Hour || a.Annotations["summary"] == "" {
			t.Errorf("%+v", a)
		}
	}
	heard.wait(t, "firing", "c1")
	heard.wait(t, "firing", "c2")
	send(sample("resolved"), 0)
	heard.wait(t, "resolved", "c1")
	if left := alertsIn(t, base); len(left) != 1 || left[0].Labels["case"] != "c2" {
		t.Errorf("left are %v", left)
	}
}

// posted is what its webhook receiver was told, as status and case.
type posted struct {
	url string
	mu  sync.Mutex
	all map[string]bool
}

func receiver(t *testing.T) *posted {
	p := &posted{all: map[string]bool{}}
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var told struct {
			Alerts []struct {
				Status string
				Labels map[string]string
			}
		}
		_ = json.NewDecoder(r.Body).Decode(&told)
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, a := range told.Alerts {
			p.all[a.Status+" "+a.Labels["case"]] = true
		}
	}))
	t.Cleanup(s.Close)
	p.url = s.URL
	return p
}

func (p *posted) wait(t *testing.T, status, caseID string) {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		p.mu.Lock()
		told := p.all[status+" "+caseID]
		p.mu.Unlock()
		if told {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the receiver was not told that %s is %s: %v", caseID, status, p.all)
		}
	}
}

// alertsIn are the alerts that it holds as firing, by its own API.
func alertsIn(t *testing.T, base string) (all []alert) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v2/alerts", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(body, &all)
	}
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %v\n%s", resp.Status, err, body)
	}
	return all
}

// startReal starts it in a folder of its own, and waits until it is ready.
func startReal(t *testing.T, hook string) (base string) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts Alertmanager: left out under -short")
	}
	program, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		servicestest.LeaveOut(t, errors.New("prometheus-alertmanager is missing (Debian: prometheus-alertmanager; make alertmanager installs it)"))
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	text := fmt.Sprintf("route: {receiver: hook, group_by: [case], group_wait: 100ms, group_interval: 200ms}\nreceivers:\n- name: hook\n  webhook_configs: [{url: %q}]\n", hook)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := free(t)
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program, "--config.file="+file, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+addr, "--cluster.listen-address=")
	cmd.Stdout, cmd.Stderr = t.Output(), t.Output()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	base = "http://" + addr
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/-/ready", nil)
		if resp, err := http.DefaultClient.Do(r); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return base
			}
		}
		if time.Now().After(end) {
			t.Fatal("Alertmanager does not come up")
		}
	}
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
