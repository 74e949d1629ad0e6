package memcached_test

import (
	"context"

	"github.com/k8guard/k8guard/internal/cache"
)

// apart is a store of its own on a server that others use.
type apart struct {
	cache.Store
	prefix string
}

func (a apart) Get(ctx context.Context, key string) ([]byte, error) {
	return a.Store.Get(ctx, a.prefix+key)
}

func (a apart) Put(ctx context.Context, key string, value []byte) error {
	return a.Store.Put(ctx, a.prefix+key, value)
}
