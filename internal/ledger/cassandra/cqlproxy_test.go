package cassandra_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// odds say how many of 1,000 requests meet which fault.
type odds struct {
	dropRequest, dropAnswer, lateRequest, lateAnswer, cut, deaf int
	latest                                                      time.Duration // a late frame's delay, at most
	deafFor                                                     time.Duration
}

// proxy stands between drivers and a Cassandra, and does to frames what a bad net does to
// them. What it delays may be overtaken, also by what the driver sends when it has given up.
type proxy struct {
	listener net.Listener
	to       string
	group    sync.WaitGroup
	held     atomic.Int64 // frames that are late

	mu     sync.Mutex
	odds   odds
	random *rand.Rand
	deaf   time.Time // until then nothing goes either way
	counts map[string]int
}

func newProxy(t testing.TB, to string, seed uint64) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, to: to, random: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	p.group.Go(func() { p.accept(ctx) })
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		p.group.Wait()
	})
	return p
}

func (p *proxy) address() string { return p.listener.Addr().String() }

// fault sets the odds from now on; the zero odds let everything through.
func (p *proxy) fault(o odds) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.odds, p.deaf = o, time.Time{}
}

// calm lets everything through, and returns when what was late is there.
func (p *proxy) calm(t testing.TB) {
	t.Helper()
	p.fault(odds{})
	eventually(t, func() error {
		if n := p.held.Load(); n > 0 {
			return fmt.Errorf("%d frames are still late", n)
		}
		return nil
	})
}

func (p *proxy) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Sprint(p.counts)
}

func (p *proxy) accept(ctx context.Context) {
	for {
		driver, err := p.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = driver.Close()
			continue
		}
		l := &link{p: p, driver: driver, server: server, mute: map[uint16]bool{}}
		p.group.Go(func() { l.serve(ctx) })
	}
}

// link is one connection of a driver, and ours to the server for it.
type link struct {
	p              *proxy
	driver, server net.Conn
	segmented      atomic.Bool
	late           sync.WaitGroup

	mu   sync.Mutex // of what is written, either way, and of mute
	mute map[uint16]bool
}

func (l *link) serve(ctx context.Context) {
	stop := context.AfterFunc(ctx, l.end)
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { l.pump(l.driver, l.server, l.request) })
	both.Go(func() { l.pump(l.server, l.driver, l.answer) })
	both.Wait()
	l.late.Wait()
}

func (l *link) end() { _ = l.driver.Close(); _ = l.server.Close() }

// fate is what becomes of a frame.
type fate struct {
	drop, cut bool
	after     time.Duration
}

func (l *link) pump(from, to net.Conn, judge func(frame) fate) {
	defer l.end()
	w := wire{from: bufio.NewReader(from), segmented: &l.segmented}
	for {
		f, err := w.next()
		if err != nil {
			return
		}
		switch is := judge(f); {
		case is.cut:
			return
		case is.drop:
		case is.after > 0:
			l.p.held.Add(1)
			l.late.Go(func() {
				defer l.p.held.Add(-1)
				time.Sleep(is.after)
				_ = l.write(to, f) // the link may have ended
			})
		default:
			if l.write(to, f) != nil {
				return
			}
		}
	}
}

func (l *link) write(to io.Writer, f frame) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !f.segmented && f.ready() {
		l.segmented.Store(true) // the driver's next word comes only after it has this one
	}
	_, err := to.Write(f.wrap())
	return err
}

// request judges what a driver asks.
func (l *link) request(f frame) fate {
	if !f.asks() {
		return fate{}
	}
	is, mute := l.p.judge()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mute[f.stream()] = mute
	return is
}

// answer judges what the server says: carried out, and not told.
func (l *link) answer(f frame) fate {
	l.mu.Lock()
	mute := l.mute[f.stream()]
	delete(l.mute, f.stream())
	l.mu.Unlock()
	return l.p.judgeAnswer(mute)
}

// judge throws the dice once for a request and its answer.
func (p *proxy) judge() (is fate, mute bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.counts["requests"]++
	if time.Now().Before(p.deaf) {
		p.counts["requests lost in a cut"]++
		return fate{drop: true}, false
	}
	dice := p.random.IntN(1000)
	within := func(n int) bool { dice -= n; return dice < 0 }
	switch o := p.odds; {
	case within(o.dropRequest):
		p.counts["requests dropped"]++
		is.drop = true
	case within(o.dropAnswer):
		mute = true
	case within(o.lateRequest):
		p.counts["requests late"]++
		is.after = 1 + time.Duration(p.random.Int64N(int64(o.latest)))
	case within(o.cut):
		p.counts["connections cut"]++
		is.cut = true
	case within(o.deaf):
		// This request still arrives; its answer does not, nor anything after it.
		p.counts["cuts of the net"]++
		p.deaf = time.Now().Add(o.deafFor)
	}
	return is, mute
}

func (p *proxy) judgeAnswer(mute bool) fate {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case mute:
		p.counts["answers dropped"]++
		return fate{drop: true}
	case time.Now().Before(p.deaf):
		p.counts["answers lost in a cut"]++
		return fate{drop: true}
	case p.odds.lateAnswer > 0 && p.random.IntN(1000) < p.odds.lateAnswer:
		p.counts["answers late"]++
		return fate{after: 1 + time.Duration(p.random.Int64N(int64(p.odds.latest)))}
	}
	return fate{}
}
