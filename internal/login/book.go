package login

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/netip"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/util/cache"
)

const (
	maxSessions  = 10_000
	maxAddresses = 10_000
	// tries and pause bound what one address may try: so many at once, and one more after
	// each pause.
	tries = 10
	pause = 6 * time.Second
	// trusted is how long a token that was good is not counted as a try.
	trusted = 10 * time.Minute
)

// Book is what outlives a configuration: sessions, and who tried in vain. All of it is in
// memory, and bounded; the least used goes first.
type Book struct {
	now       clock
	sessions  *cache.LRUExpireCache // by hash of the id: the session
	good      *cache.LRUExpireCache // by hash of the token
	addresses *cache.LRUExpireCache // by address: its limiter
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
		addresses: cache.NewLRUExpireCacheWithClock(maxAddresses, c)}
}

// begin opens a session for the token and returns its id.
func (b *Book) begin(token string) string {
	id := make([]byte, 32)
	_, _ = rand.Read(id)
	text := base64.RawURLEncoding.EncodeToString(id)
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

// allowed says whether the address may try this token now, and counts the try. A token that
// was good lately is no try, so that a neighbour behind the same proxy shuts nobody out.
func (b *Book) allowed(address, token string) bool {
	if _, ok := b.good.Get(hash(token)); ok {
		return true
	}
	return b.limiter(address).AllowN(b.now(), 1)
}

// trust remembers a good token.
func (b *Book) trust(token string) { b.good.Add(hash(token), true, trusted) }

func (b *Book) distrust(token string) { b.good.Remove(hash(token)) }

// limiter is the address's; two requests at once may make two, of which one stays.
func (b *Book) limiter(address string) *rate.Limiter {
	key := network(address)
	if l, ok := b.addresses.Get(key); ok {
		return l.(*rate.Limiter)
	}
	l := rate.NewLimiter(rate.Every(pause), tries)
	b.addresses.Add(key, l, tries*pause)
	return l
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
