package services

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/tools/mailsink"
	"github.com/k8guard/k8guard/tools/services"
	"github.com/k8guard/k8guard/tools/services/servicestest"
	"github.com/k8guard/k8guard/tools/stage"
)

// number reads a whole number from the environment.
func number(t *testing.T, name string, standard int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not a number above 0", name, text)
	}
	return n
}

// chaos is what goes wrong, and with what.
type chaos struct {
	*house
	kafka, cassandra *services.Service
	places           []*place
	dice             *rand.Rand
	done             map[string]int
}

// place is where a replica runs.
type place struct {
	target string
	*stage.Process
}

// pastSession is longer than a group waits for a replica, and than a Lease lasts.
const pastSession = 18 * time.Second

// deck is one portion of faults: 25 kills of ours, 13 restarts as in a rolling upgrade, pauses
// past a session and a Lease, and servers that are killed.
func (c *chaos) deck(portions int) (all []func()) {
	add := func(n int, what string, do func()) {
		for range n * portions {
			all = append(all, func() { c.done[what]++; do() })
		}
	}
	add(12, "an action killed", func() { c.kill("action") })
	add(8, "a discover killed", func() { c.kill("discover") })
	add(5, "a report killed", func() { c.kill("report") })
	add(10, "an action restarted", func() { c.restart(c.any("action")) })
	add(3, "a discover restarted", func() { c.restart(c.any("discover")) })
	add(2, "an action paused past its session", func() { c.pause(c.any("action")) })
	add(2, "a discover paused past its Lease", c.handOver)
	add(2, "the broker killed", func() { c.server(c.kafka) })
	add(2, "Cassandra killed", func() { c.server(c.cassandra) })
	c.dice.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func (c *chaos) any(target string) *place {
	var all []*place
	for _, p := range c.places {
		if p.target == target {
			all = append(all, p)
		}
	}
	return all[c.dice.IntN(len(all))]
}

func (c *chaos) open(target string) {
	c.places = append(c.places, &place{target, c.start(target)})
}

func (c *chaos) kill(target string) {
	p := c.any(target)
	p.Kill9()
	p.Process = c.start(target)
}

// restart is what a rolling upgrade does: a graceful end, and a new one.
func (c *chaos) restart(p *place) {
	select {
	case <-p.Done(): // see live
		return
	default:
	}
	if err := p.Terminate(90 * time.Second); err != nil {
		c.t.Errorf("%s did not end well: %v", p.target, err)
	}
	p.Process = c.start(p.target)
}

// pause stops a replica, between whichever two instructions, until others have taken its part.
func (c *chaos) pause(p *place) {
	if err := syscall.Kill(-p.Pid(), syscall.SIGSTOP); err != nil {
		c.t.Errorf("pause %s: %v", p.target, err)
	}
	time.Sleep(pastSession)
	if err := syscall.Kill(-p.Pid(), syscall.SIGCONT); err != nil {
		c.t.Errorf("resume %s: %v", p.target, err)
	}
}

// handOver wakes a discover that was paused, and ends the one that led meanwhile well: its Lease
// is nobody's, and who was deposed may want it back.
func (c *chaos) handOver() {
	woken := c.any("discover")
	c.pause(woken)
	for _, p := range c.places {
		if p.target == "discover" && p != woken {
			c.restart(p)
		}
	}
}

func (c *chaos) server(s *services.Service) {
	c.away(s)
	time.Sleep(time.Duration(1+c.dice.IntN(4)) * time.Second)
	c.back(s)
}

// live starts again what ended by itself, which nothing may.
func (c *chaos) live() {
	for _, p := range c.places {
		select {
		case <-p.Done():
			c.t.Errorf("%s ended by itself: %v; the end of the log:\n%s", p.target, p.Wait(c.t.Context()), p.LogTail())
			p.Process = c.start(p.target)
		default:
		}
	}
}

// What waits for people comes in waves while everything is killed, paused and restarted, each
// message is said three times and shuffled, and one in a hundred is poison. Nothing is lost,
// nothing is done twice, nobody is told more often than the cap, and poison is put away.
func TestFaultsOverServices(t *testing.T) {
	kafka, cassandra := servicestest.Start(t, services.Kafka), servicestest.Start(t, services.Cassandra)
	portions := int(number(t, "K8GUARD_PORTIONS", 1))
	h := newHouse(t, kafka, cassandra, func(c *config.Config) { quick(c, portions) })
	seed := number(t, "K8GUARD_SEED", time.Now().UnixNano())
	t.Logf("replay with K8GUARD_SEED=%d K8GUARD_PORTIONS=%d", seed, portions)
	c := &chaos{house: h, kafka: kafka, cassandra: cassandra, dice: rand.New(rand.NewPCG(uint64(seed), 1)), done: map[string]int{}}
	for _, target := range []string{"discover", "discover", "action", "action", "action", "report"} {
		c.open(target)
	}
	h.until("the report serves", 2*time.Minute, func() bool { return h.serves() })
	// A slow server: kills fall between a mail's last byte and its answer.
	if err := h.Mail.SetFault(mailsink.Fault{Mode: mailsink.SlowReply, Delay: 150 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	voices := h.mislead(kafka, seed)
	v := newViolations(h)
	deck := c.deck(portions)
	for i, fault := range deck {
		for v.waves*len(deck) <= i*waves*portions && v.waves < waves*portions {
			v.wave()
		}
		fault()
		time.Sleep(time.Duration(200+c.dice.IntN(1300)) * time.Millisecond)
		c.live()
	}
	said := voices.end()
	t.Logf("%v; %d said again, %d poison", c.done, said.again, said.poison)
	v.settle(2*time.Minute + time.Duration(portions)*time.Minute)
	h.until("the last poison is put away", 2*time.Minute, func() bool { _, missing := h.letters(said); return len(missing) == 0 })
	for _, p := range c.places {
		if err := p.Terminate(time.Minute); err != nil {
			t.Error(fmt.Errorf("%s did not end well: %w", p.target, err))
		}
	}
	v.judge()
	h.putAway(said)
}
