package app

import (
	"context"
	"errors"

	"github.com/k8guard/k8guard/internal/cache"
	"github.com/k8guard/k8guard/internal/cache/memcached"
	"github.com/k8guard/k8guard/internal/cache/memory"
	"github.com/k8guard/k8guard/internal/cache/sizes"
	"github.com/k8guard/k8guard/internal/config"
)

// answersKept is how many bytes the report's dearest answers may take.
const answersKept = 8 << 20

// imagesKept is how many bytes the sizes of images may take in this process: some 50,000.
const imagesKept = 16 << 20

// images is what discover remembers of images. It outlives a leadership and a configuration.
type images struct {
	book  *sizes.Book
	cache *cache.Cache // which counts
	store cache.Store
}

// openImages chooses the cache. A server that is away is no error.
func openImages(c config.Cache) (*images, error) {
	store, err := openCache(c)
	if err != nil {
		return nil, err
	}
	counting := cache.New(store, "sizes")
	book, err := sizes.New(counting)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return &images{book, counting, store}, nil
}

func openCache(c config.Cache) (cache.Store, error) {
	if c.Kind != config.CacheMemcached {
		return memory.New(imagesKept, c.Expiry)
	}
	settings, err := memcached.FromConfig(c)
	if err != nil {
		return nil, err
	}
	return memcached.New(settings)
}

// run learns until ctx ends.
func (i *images) run(ctx context.Context) error {
	i.book.Run(ctx)
	return nil
}

func (i *images) close() error {
	i.book.Close()
	return i.store.Close()
}

// wireAnswers makes the cache of the report's answers: always of this process, for what
// readers with rights are shown belongs on no server that others read and write. It has
// nothing to close.
func (in *instance) wireAnswers() error {
	if in.answers != nil {
		return nil
	}
	store, err := memory.New(answersKept, 0)
	if err != nil {
		return err
	}
	in.answers = cache.New(store, "answers")
	return in.registry.Register(in.answers)
}
