// Package sizes remembers how large images are.
//
// Purpose: a kubelet reports only fifty of its images; a size that a node of any cluster
// reported once, of a content by its digest, serves for every other node of its kind.
//
// Concurrency: every method may be called from many goroutines.
//
// Guarantees: a size is kept with its runtime and platform: a runtime counts layers as they
// were pulled, another as they lie on the disk, and one digest may name an image for each
// platform. What comes from the cache is checked: it is the very fact that was asked for, in
// the one way to write it, and of a possible size; all else is nothing. What a node reports
// wins over what was kept. [Book.Saw] never waits.
//
// It will not: know what a tag means, or make a size true that somebody else wrote into the
// cache: what is read here is for notices, never for an act.
package sizes

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/entity"
)

const (
	// most is above any image there is.
	most = 1 << 42
	// near bounds what is held in this process, for known and unknown: then the cache is asked,
	// or told, again.
	near        = 20_000
	nearKnown   = 10 * time.Minute
	nearUnknown = time.Minute
	// waiting bounds what is not yet told to the cache; what finds no room is reported again.
	waiting = 4096
)

// fact is what a size is about.
type fact struct{ runtime, platform, digest string }

// told is a fact on its way to the cache.
type told struct {
	fact  fact
	bytes int64
}

// Book is what is remembered.
type Book struct {
	cache *cache.Cache
	near  *otter.Cache[fact, int64] // zero is not known
	queue chan told
}

// New makes a book over a cache. It learns while [Book.Run] runs, and wants a [Book.Close].
func New(c *cache.Cache) (*Book, error) {
	held, err := otter.New(&otter.Options[fact, int64]{
		MaximumSize: near,
		ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[fact, int64]) time.Duration {
			if e.Value == 0 {
				return nearUnknown
			}
			return nearKnown
		}),
	})
	if err != nil {
		return nil, err
	}
	return &Book{cache: c, near: held, queue: make(chan told, waiting)}, nil
}

// Close ends what runs beside; nobody asks after it.
func (b *Book) Close() { b.near.StopAllGoroutines() }

// Run tells the cache what was seen, until ctx ends.
func (b *Book) Run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case t := <-b.queue:
			b.cache.Put(ctx, t.fact.String(), encode(t.fact, t.bytes))
		}
	}
}

// Saw is told what a node reports.
func (b *Book) Saw(s *entity.Stored) {
	if s == nil {
		return
	}
	for name, bytes := range s.Bytes {
		f := fact{s.Runtime, s.Platform, entity.Digest(name)}
		if !f.valid() || bytes <= 0 || bytes > most {
			continue
		}
		if held, ok := b.near.GetIfPresent(f); ok && held == bytes {
			continue
		}
		select {
		case b.queue <- told{f, bytes}:
			b.near.Set(f, bytes)
		default:
		}
	}
}

// Size is what a node of this runtime and platform reported of the digest.
func (b *Book) Size(runtime, platform, digest string) (int64, bool) {
	f := fact{runtime, platform, digest}
	if !f.valid() {
		return 0, false
	}
	bytes, err := b.near.Get(context.Background(), f, otter.LoaderFunc[fact, int64](b.load))
	return bytes, err == nil && bytes > 0
}

// load asks the cache, once for all who ask; zero is not known.
func (b *Book) load(ctx context.Context, f fact) (int64, error) {
	value, ok := b.cache.Get(ctx, f.String())
	if !ok {
		return 0, nil
	}
	bytes, _ := decode(f, value)
	return bytes, nil
}

func (f fact) valid() bool {
	return word(f.runtime) && word(f.platform) && entity.Digest("@"+f.digest) != ""
}

// word is how a runtime or a platform may be called; a node writes both.
func word(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._/-") == ""
}

// String is the fact's key. No part of it holds a space.
func (f fact) String() string { return f.runtime + " " + f.platform + " " + f.digest }

// encode writes a fact in full, so that one that lies in another one's place is not taken for it.
func encode(f fact, bytes int64) []byte { return fmt.Appendf(nil, "1 %s %d", f, bytes) }

// decode reads what encode wrote about the very same fact.
func decode(f fact, value []byte) (bytes int64, ok bool) {
	digits, ok := strings.CutPrefix(string(value), fmt.Sprintf("1 %s ", f))
	if !ok || len(digits) > len(strconv.Itoa(most)) {
		return 0, false
	}
	bytes, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || bytes <= 0 || bytes > most || strconv.FormatInt(bytes, 10) != digits {
		return 0, false
	}
	return bytes, true
}
