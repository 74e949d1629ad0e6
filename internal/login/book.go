package login

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/util/cache"
)

const (
	maxSessions  = 10_000
	maxAddresses = 10_000
	idBytes      = 32
	maxOwn       = 20 // sessions of one reader
	// tries and pause bound the tokens of one address that are nobody's: so many at once, and
	// one more after each pause.
	tries = 10
	pause = 6 * time.Second
	// spare is how many tokens a second are asked about for all addresses together that have
	// used up theirs: behind one of them may be more than who tries.
	spare = 5
	// reviews bounds how many tokens that were not good lately are asked about at a time.
	reviews = 8
	// trusted is how long a token that was good is not counted as a try.
	trusted = 10 * time.Minute
)

// Book is what outlives a configuration: sessions, and who tried in vain. All of it is in
// memory, and bounded; the least used goes first.
type Book struct {
	now       clock
	sessions  *cache.LRUExpireCache // by hash of the id: the session
	own       *cache.LRUExpireCache // by reader: the hashes of their sessions, oldest first
	good      *cache.LRUExpireCache // by hash of the token
	addresses *cache.LRUExpireCache // by address: its limiter
	spare     *rate.Limiter
	turns     chan struct{}
	mu        sync.Mutex // over what is read and then added
}

type clock func() time.Time

// Now implements the cache's clock.
func (c clock) Now() time.Time { return c() }

// session holds the token, so that it is asked about again: a token that was revoked or has
// expired ends the session.
type session struct{ token secret }

// secret is a text that shows nothing of itself.
type secret struct{ value *string }

// String implements fmt.Stringer.
func (secret) String() string { return "***" }

type digest [sha256.Size]byte

// NewBook returns an empty book.
func NewBook(now func() time.Time) *Book {
	c := clock(now)
	return &Book{now: c, sessions: cache.NewLRUExpireCacheWithClock(maxSessions, c), good: cache.NewLRUExpireCacheWithClock(maxSessions, c),
		addresses: cache.NewLRUExpireCacheWithClock(maxAddresses, c), own: cache.NewLRUExpireCacheWithClock(maxSessions, c),
		spare: rate.NewLimiter(spare, 4*spare), turns: make(chan struct{}, reviews)}
}

// begin opens a session for the reader's token and returns its id. Of one reader's sessions
// the oldest goes, so that nobody's logins end those of others.
func (b *Book) begin(who Reader, token string) string {
	id := make([]byte, idBytes)
	_, _ = rand.Read(id)
	text := base64.RawURLEncoding.EncodeToString(id)
	b.mu.Lock()
	defer b.mu.Unlock()
	var own []digest
	if kept, ok := b.own.Get(who.Key()); ok {
		own = slices.Clone(kept.([]digest))
	}
	own = append(own, hash(text))
	if len(own) > maxOwn {
		b.sessions.Remove(own[0])
		own = own[1:]
	}
	b.own.Add(who.Key(), own, sessionLife)
	b.sessions.Add(hash(text), session{secret{&token}}, sessionLife)
	return text
}

// token returns the session's token.
func (b *Book) token(id string) (string, bool) {
	s, ok := b.sessions.Get(hash(id))
	if !ok {
		return "", false
	}
	return *s.(session).token.value, true
}

func (b *Book) end(id string) { b.sessions.Remove(hash(id)) }

// allowed says whether the address may ask about another token now.
func (b *Book) allowed(address string) bool {
	return b.limiter(address).TokensAt(b.now()) >= 1 || b.spare.AllowN(b.now(), 1)
}

// charge counts a token that was nobody's.
func (b *Book) charge(address string) { b.limiter(address).AllowN(b.now(), 1) }

// turn waits until one more token may be asked about, and returns what ends it. A token that
// was good lately waits for nobody.
func (b *Book) turn(ctx context.Context, token string) (done func(), known bool, err error) {
	if _, ok := b.good.Get(hash(token)); ok {
		return func() {}, true, nil
	}
	select {
	case b.turns <- struct{}{}:
		return func() { <-b.turns }, false, nil
	case <-ctx.Done():
		return nil, false, ctx.Err()
	}
}

// trust remembers a good token.
func (b *Book) trust(token string) { b.good.Add(hash(token), true, trusted) }

func (b *Book) distrust(token string) { b.good.Remove(hash(token)) }

// limiter is the address's; used, it lives until it would be full again.
func (b *Book) limiter(address string) *rate.Limiter {
	key := network(address)
	b.mu.Lock()
	defer b.mu.Unlock()
	l, ok := b.addresses.Get(key)
	if !ok {
		l = rate.NewLimiter(rate.Every(pause), tries)
	}
	b.addresses.Add(key, l, tries*pause)
	return l.(*rate.Limiter)
}

// network is what counts as one address: of IPv6 the 64 bits that one customer has.
func network(address string) string {
	host, err := netip.ParseAddrPort(address)
	if err != nil {
		return "other"
	}
	ip := host.Addr().Unmap().WithZone("")
	if ip.Is6() {
		p, _ := ip.Prefix(64)
		return p.String()
	}
	return ip.String()
}

func hash(text string) digest { return sha256.Sum256([]byte(text)) }
