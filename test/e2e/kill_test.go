package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/k8guard/k8guard/tools/mailsink"
)

// number reads a whole number from the environment.
func number(t *testing.T, name string, standard int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		t.Fatalf("%s=%q is not a number", name, text)
	}
	return n
}

const teams, waves = 8, 16

func teamNames() []string {
	var names []string
	for i := range teams {
		names = append(names, fmt.Sprintf("team-%d", i))
	}
	return names
}

// wave makes the n-th of sixteen: fifty workloads first, then fifty ingresses, both times scale.
func (s *scene) wave(n int) {
	s.t.Helper()
	team, count := n%teams, 6
	if team >= teams-2 {
		count = 7 // 6 times 6 and 2 times 7 are 50
	}
	count *= s.scale
	if n < teams {
		s.violate(teamNames()[team], count, 0)
	} else {
		s.violate(teamNames()[team], 0, count)
	}
}

// A hundred violations, or as many hundreds as asked for, in eight namespaces come in sixteen waves, so that there is work at
// every kill, and digests that hold cases of different age.
func TestKill9Random(t *testing.T) {
	s := newScene(t, teamNames())
	kills := int(number(t, "K8GUARD_KILLS", 25))
	s.scale = int(number(t, "K8GUARD_HUNDREDS", 1))
	seed := number(t, "K8GUARD_SEED", time.Now().UnixNano())
	t.Logf("replay with K8GUARD_SEED=%d K8GUARD_KILLS=%d K8GUARD_HUNDREDS=%d", seed, kills, s.scale)
	// A slow server: many kills fall between a mail's last byte and its answer.
	hold(t, s.Mail.SetFault(mailsink.Fault{Mode: mailsink.SlowReply, Delay: 150 * time.Millisecond}))
	others := s.bystand(teamNames()[0])
	from := time.Now()
	s.killed(kills, rand.New(rand.NewPCG(uint64(seed), 1)))
	killing := time.Since(from)
	p := s.start(true)
	if !s.settled(p, time.Duration(1+s.scale)*time.Minute) {
		t.Fatalf("K8Guard ended by itself: %s", p.LogTail())
	}
	hold(t, p.Terminate(40*time.Second))
	t.Logf("%d kills in %s, settled after %s", kills, killing.Round(time.Second), time.Since(from).Round(time.Second))
	acted, _ := s.verdict()
	others.untouched(teamNames()[0])
	if len(s.roots) != 100*s.scale {
		t.Errorf("%d objects were violating, want %d", len(s.roots), 100*s.scale)
	}
	if acted*10 < len(s.roots)*9 {
		t.Errorf("only %d of %d were acted on, want nine in ten", acted, len(s.roots))
	}
	if n := s.stopped(); n != acted {
		t.Errorf("in the cluster %d objects are stopped, the ledger says %d", n, acted)
	}
}

// killed starts and kills K8Guard while the waves come.
func (s *scene) killed(kills int, dice *rand.Rand) {
	s.t.Helper()
	next := 0
	for i := range kills {
		p := s.start(true)
		for ; next < waves && i*waves/kills >= next; next++ {
			s.wave(next)
		}
		time.Sleep(300*time.Millisecond + time.Duration(dice.Int64N(int64(2700*time.Millisecond))))
		p.Kill9()
	}
	for ; next < waves; next++ {
		s.wave(next)
	}
}

func hold(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
