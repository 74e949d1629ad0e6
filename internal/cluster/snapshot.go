package cluster

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"

	"github.com/k8guard/k8guard/internal/entity"
)

// Snapshot is what one look at a cluster saw.
type Snapshot struct {
	Entities []entity.Entity
	// Unread says why a kind is missing from Entities; a kind is there whole, or not at all.
	Unread map[entity.Kind]error
}

// Look lists every kind once, in pages, and watches nothing: the judged ones, and those of
// related. Namespace bounds it to one namespace; empty means all. Only the end of ctx is an error: a kind that cannot be read is
// named in the snapshot.
func Look(ctx context.Context, client kubernetes.Interface, namespace string, related []entity.Kind) (Snapshot, error) {
	w := &Watcher{settings: Settings{Client: client, Namespace: namespace, Related: related}}
	s := Snapshot{Unread: map[entity.Kind]error{}}
	for _, kind := range w.Kinds() {
		found, err := w.pages(ctx, kind)
		switch {
		case ctx.Err() != nil:
			return s, fmt.Errorf("cluster: reading %s: %w", kind, ctx.Err())
		case err != nil:
			s.Unread[kind] = err
		default:
			s.Entities = append(s.Entities, found...)
		}
	}
	return s, nil
}

// pages reads one kind. A list that expires between two pages begins again, once: what is
// handed on was true at one moment.
func (w *Watcher) pages(ctx context.Context, kind entity.Kind) ([]entity.Entity, error) {
	src, err := w.source(kind)
	if err != nil {
		return nil, err
	}
	found, err := w.list(ctx, src, kind)
	if apierrors.IsResourceExpired(err) {
		found, err = w.list(ctx, src, kind)
	}
	if err != nil {
		return nil, mayList(src.resource, err)
	}
	return found, nil
}

func (w *Watcher) list(ctx context.Context, src source, kind entity.Kind) ([]entity.Entity, error) {
	var found []entity.Entity
	options := metav1.ListOptions{Limit: pageSize}
	if kind == entity.Namespace && w.settings.Namespace != "" {
		options.FieldSelector = "metadata.name=" + w.settings.Namespace
	}
	for {
		page, err := src.list(ctx, options)
		if err != nil {
			return nil, err
		}
		err = meta.EachListItem(slim(page), func(o runtime.Object) error {
			e, err := entity.From(o)
			found = append(found, e)
			return err
		})
		if err != nil {
			return nil, err
		}
		m, err := meta.ListAccessor(page)
		if err != nil {
			return nil, err
		}
		if options.Continue = m.GetContinue(); options.Continue == "" {
			return found, nil
		}
	}
}

func mayList(resource string, err error) error {
	if apierrors.IsUnauthorized(err) {
		return fmt.Errorf("list %s: the API server does not know your token or certificate (401); log in anew: %w", resource, err)
	}
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("may not list %s, so what needs them is unknown; ask for list on %s, or name a namespace with -n: %w", resource, resource, err)
	}
	return fmt.Errorf("list %s: %w", resource, err)
}
