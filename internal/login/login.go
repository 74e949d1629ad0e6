// Package login stands in front of the pages: it asks who a reader is, and what they may do.
//
// Purpose: nobody gets an answer under a foreign name, from another origin, or without a
// token that the API server knows; and each right is asked for, never assumed.
//
// Concurrency: a Guard and a Book serve any number of requests.
//
// Guarantees: a token is in memory only: never in a cookie, page, log, error or metric. A
// session ends when its token does. What is kept of strangers is bounded.
//
// It will not: hold a Kubernetes client (a [Reviewer] is asked), or know a page's content.
package login

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"
)

// ErrToken says that the token is nobody's, or not valid any more.
var ErrToken = errors.New("login: nobody's token")

// Reader is who a token belongs to, as the API server says.
type Reader struct {
	Name   string
	UID    string
	Groups []string
	Extra  map[string][]string
}

// Key tells readers apart.
func (r Reader) Key() string { return r.UID + "/" + r.Name }

// Told is an error whose words may be shown to anyone.
type Told string

// Error implements error.
func (t Told) Error() string { return string(t) }

// Why is what may be shown of an error: the log has the rest, with addresses in it.
func Why(err error) string {
	if told, ok := errors.AsType[Told](err); ok {
		return told.Error()
	}
	return "K8Guard's log says why; try again"
}

// Right is what a reader may want to do.
type Right string

// The rights. See and Change are asked for a namespace; the empty one means all.
const (
	See    Right = "list pods"                                                // see what concerns the namespace
	Roots  Right = "list namespaces"                                          // see what concerns no namespace
	Change Right = "patch deployments.apps"                                   // undo, acknowledge; see [ChangeOf]
	Switch Right = "update the permit's ConfigMap of K8Guard's own namespace" // freeze, lift
)

// changes are the rights to do by hand what an undo does, by kind of root.
func changes() map[string]Right {
	return map[string]Right{"StatefulSet": "patch statefulsets.apps", "ReplicaSet": "patch replicasets.apps", "Job": "patch jobs.batch",
		"CronJob": "patch cronjobs.batch", "Ingress": "create ingresses.networking.k8s.io"}
}

// ChangeOf is the right to change a root of the kind: Change for one that is never acted on.
func ChangeOf(kind string) Right {
	if right, ok := changes()[kind]; ok {
		return right
	}
	return Change
}

// Rights are all that may be asked for.
func Rights() []Right {
	return append([]Right{See, Roots, Change, Switch}, slices.Sorted(maps.Values(changes()))...)
}

// Reviewer knows readers and their rights.
type Reviewer interface {
	// Who returns whom the token belongs to, or ErrToken.
	Who(ctx context.Context, token string) (Reader, error)
	// May says whether the reader has the right in the namespace; "" means in all.
	May(ctx context.Context, who Reader, right Right, namespace string) (bool, error)
	// MayNow is May before a change: no older answer counts.
	MayNow(ctx context.Context, who Reader, right Right, namespace string) (bool, error)
}

// Settings is what a guard is built from. Without a Reviewer there is no login: who reaches
// the address may do everything.
type Settings struct {
	Reviewer Reviewer
	// Book is required beside a Reviewer. It outlives the guard.
	Book *Book
	// Host is one further name under which we may be reached, beside loopback.
	Host string
	// Secure says that readers come by https.
	Secure bool
	// Open are paths that want no login.
	Open []string
	// Log receives who logged in and what could not be asked; nil discards it.
	Log *slog.Logger
}

// Guard is the check before every page.
type Guard struct{ Settings }

// New returns a guard, or an error when a required setting is missing.
func New(s Settings) (*Guard, error) {
	if s.Reviewer != nil && s.Book == nil {
		return nil, errors.New("login: Settings needs a Book beside a Reviewer")
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return &Guard{s}, nil
}

type readerKey struct{}

// ReaderOf returns who asks, or nil where there is no login.
func ReaderOf(ctx context.Context) *Reader {
	r, _ := ctx.Value(readerKey{}).(*Reader)
	return r
}

// May says whether who asks has the right. Without a login everyone has every right.
func (g *Guard) May(ctx context.Context, right Right, namespace string) (bool, error) {
	if g.Reviewer == nil {
		return true, nil
	}
	who := ReaderOf(ctx)
	if who == nil {
		return false, nil
	}
	return g.Reviewer.May(ctx, *who, right, namespace)
}

// MayNow is May before a change.
func (g *Guard) MayNow(ctx context.Context, right Right, namespace string) (bool, error) {
	who := ReaderOf(ctx)
	if g.Reviewer == nil || who == nil {
		return g.Reviewer == nil, nil
	}
	return g.Reviewer.MayNow(ctx, *who, right, namespace)
}

// All lets through who may see every namespace: for what is not authorised row by row.
func (g *Guard) All(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ok, err := true, error(nil)
		if !g.open(r.URL.Path) {
			ok, err = g.May(r.Context(), See, "")
		}
		switch {
		case err != nil:
			g.unasked(w, r, err)
		case !ok:
			refuse(w, http.StatusForbidden, "this tells of every namespace: it wants the right to list pods in all of them")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// sessionLife is how long a session lasts at most; its token may end it before.
const sessionLife = 8 * time.Hour
