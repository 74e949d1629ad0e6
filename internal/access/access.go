// Package access asks the API server who a reader is, and what they may do.
//
// Purpose: a row is shown to whom the cluster's own rules let see its namespace.
//
// Concurrency: a Reviewer serves any number of requests.
//
// Guarantees: who a reader is, and that they may, is kept for ten seconds, that they may
// not see for a minute; what they may change is asked each time, and neither a wrong token nor
// an error is kept. What is kept is bounded, and by hash: no token is in it. The same question
// is asked once for all who wait for it, and no more than so many are asked at a time.
//
// It will not: create anything but TokenReviews and SubjectAccessReviews, which the API
// server answers and does not store.
package access

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/singleflight"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	"k8s.io/client-go/kubernetes"

	"github.com/k8guard/k8guard/internal/login"
)

const (
	kept       = 10 * time.Second
	keptNo     = time.Minute
	maxReaders = 1000
	maxAnswers = 50_000
	// atOnce bounds the questions that wait for the API server; those before a change, which
	// are few, wait for no others.
	atOnce = 20
	// credential is the extra in which the API server names the token itself.
	credential = "authentication.kubernetes.io/credential-id"
	// patience bounds one question.
	patience = 10 * time.Second
)

// Settings is what a reviewer is built from. All but Now are required.
type Settings struct {
	Client kubernetes.Interface
	// Namespace is K8Guard's own, and Permit the ConfigMap there that allows enforcement.
	Namespace, Permit string
	Now               func() time.Time
}

// Reviewer implements login.Reviewer.
type Reviewer struct {
	Settings
	readers, answers *cache.LRUExpireCache
	group            singleflight.Group
	turns            chan struct{}
}

var _ login.Reviewer = (*Reviewer)(nil)

type clock func() time.Time

// Now implements the cache's clock.
func (c clock) Now() time.Time { return c() }

// New returns a reviewer.
func New(s Settings) *Reviewer {
	c := clock(s.Now)
	return &Reviewer{Settings: s, readers: cache.NewLRUExpireCacheWithClock(maxReaders, c), answers: cache.NewLRUExpireCacheWithClock(maxAnswers, c),
		turns: make(chan struct{}, atOnce)}
}

// Who implements login.Reviewer.
func (r *Reviewer) Who(ctx context.Context, token string) (login.Reader, error) {
	key := sha256.Sum256([]byte(token))
	return once(ctx, &r.group, "who "+string(key[:]), r.readers, key, func(ctx context.Context) (login.Reader, error) { return r.review(ctx, token, key) })
}

func (r *Reviewer) review(ctx context.Context, token string, key [sha256.Size]byte) (login.Reader, error) {
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
	got, err := r.Client.AuthenticationV1().TokenReviews().Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return login.Reader{}, explain("tokenreviews", err)
	}
	if !got.Status.Authenticated || got.Status.User.Username == "" {
		return login.Reader{}, login.ErrToken
	}
	u := got.Status.User
	who := login.Reader{Name: u.Username, UID: u.UID, Groups: u.Groups, Extra: map[string][]string{}}
	for name, values := range u.Extra {
		who.Extra[name] = values
	}
	r.readers.Add(key, who, kept)
	return who, nil
}

// answer is what a kept answer is an answer to.
type answer struct {
	who       [sha256.Size]byte
	right     login.Right
	namespace string
}

// May implements login.Reviewer.
func (r *Reviewer) May(ctx context.Context, who login.Reader, right login.Right, namespace string) (bool, error) {
	resource, err := r.resource(right, namespace)
	if err != nil {
		return false, err
	}
	hash, err := keyOf(who)
	if err != nil {
		return false, err
	}
	key := answer{hash, right, namespace}
	return once(ctx, &r.group, fmt.Sprintf("may %s %q %q", hash, right, namespace), r.answers, key, func(ctx context.Context) (bool, error) {
		select {
		case r.turns <- struct{}{}:
		case <-ctx.Done():
			return false, fmt.Errorf("asking the API server: too many questions wait for it: %w", ctx.Err())
		}
		defer func() { <-r.turns }()
		allowed, err := r.ask(ctx, who, resource)
		switch {
		case err != nil:
		case allowed:
			r.answers.Add(key, allowed, kept)
		default:
			r.answers.Add(key, allowed, keptNo)
		}
		return allowed, err
	})
}

// MayNow implements login.Reviewer: it asks, whatever is kept, and waits for no other question.
func (r *Reviewer) MayNow(ctx context.Context, who login.Reader, right login.Right, namespace string) (bool, error) {
	resource, err := r.resource(right, namespace)
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return r.ask(ctx, who, resource)
}

// keyOf is what answers about the reader are kept under: all that may change what is allowed,
// groups and extras too, but for what only tells two tokens of one account apart.
func keyOf(who login.Reader) ([sha256.Size]byte, error) {
	who.Extra = maps.Clone(who.Extra)
	delete(who.Extra, credential)
	text, err := json.Marshal(who)
	return sha256.Sum256(text), err
}

func (r *Reviewer) ask(ctx context.Context, who login.Reader, resource *authorizationv1.ResourceAttributes) (bool, error) {
	extra := map[string]authorizationv1.ExtraValue{}
	for name, values := range who.Extra {
		extra[name] = values
	}
	got, err := r.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		ResourceAttributes: resource, User: who.Name, UID: who.UID, Groups: who.Groups, Extra: extra}}, metav1.CreateOptions{})
	if err != nil {
		return false, explain("subjectaccessreviews", err)
	}
	return got.Status.Allowed && !got.Status.Denied, nil
}

// once asks a question for all who ask it at the same time, unless its answer is kept under key. Who
// hangs up ends it for nobody else; patience does.
func once[T any](ctx context.Context, group *singleflight.Group, question string, kept *cache.LRUExpireCache, key any, ask func(context.Context) (T, error)) (none T, _ error) {
	if known, ok := kept.Get(key); ok {
		return known.(T), nil
	}
	answer := group.DoChan(question, func() (any, error) {
		if known, ok := kept.Get(key); ok { // who asked before was answered since we looked
			return known, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		return ask(ctx)
	})
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case a := <-answer:
		return a.Val.(T), a.Err
	}
}

// resource says which right of the cluster stands for which of ours: but for the permit, it
// is the one that is in its name.
func (r *Reviewer) resource(right login.Right, namespace string) (*authorizationv1.ResourceAttributes, error) {
	if right == login.Switch {
		return &authorizationv1.ResourceAttributes{Verb: "update", Resource: "configmaps", Namespace: r.Namespace, Name: r.Permit}, nil
	}
	if !slices.Contains(login.Rights(), right) {
		return nil, fmt.Errorf("access: %q is no right", right)
	}
	verb, what, _ := strings.Cut(string(right), " ")
	resource, group, _ := strings.Cut(what, ".")
	if right == login.Roots {
		namespace = ""
	}
	return &authorizationv1.ResourceAttributes{Verb: verb, Group: group, Resource: resource, Namespace: namespace}, nil
}

// explain names the missing right. The API server's own words are kept for all other
// trouble: they name the request, never the token.
func explain(resource string, err error) error {
	if apierrors.IsForbidden(err) {
		return login.Told("K8Guard's account may not create " + resource + "; apply deploy/rbac-report.yaml")
	}
	return fmt.Errorf("asking the API server (%s): %w", resource, err)
}

// Check asks one question of each kind, so that a missing right is known at the start.
func (r *Reviewer) Check(ctx context.Context) error {
	if _, err := r.Who(ctx, "none"); err != nil && err != login.ErrToken { //nolint:errorlint // Who returns it bare
		return err
	}
	_, err := r.May(ctx, login.Reader{Name: "system:anonymous"}, login.See, "")
	return err
}
