// Package access asks the API server who a reader is, and what they may do.
//
// Purpose: a row is shown to whom the cluster's own rules let see its namespace.
//
// Concurrency: a Reviewer serves any number of requests.
//
// Guarantees: an answer is kept for ten seconds, a wrong token and an error not at all. What
// is kept is bounded, and by hash: no token is in it.
//
// It will not: create anything but TokenReviews and SubjectAccessReviews, which the API
// server answers and does not store.
package access

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

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
	maxReaders = 1000
	maxAnswers = 20_000
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
}

var _ login.Reviewer = (*Reviewer)(nil)

type clock func() time.Time

// Now implements the cache's clock.
func (c clock) Now() time.Time { return c() }

// New returns a reviewer.
func New(s Settings) *Reviewer {
	c := clock(s.Now)
	return &Reviewer{s, cache.NewLRUExpireCacheWithClock(maxReaders, c), cache.NewLRUExpireCacheWithClock(maxAnswers, c)}
}

// Who implements login.Reviewer.
func (r *Reviewer) Who(ctx context.Context, token string) (login.Reader, error) {
	key := sha256.Sum256([]byte(token))
	if known, ok := r.readers.Get(key); ok {
		return known.(login.Reader), nil
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
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
	text, err := json.Marshal(who) // groups and extras too: they may change what is allowed
	if err != nil {
		return false, err
	}
	key := answer{sha256.Sum256(text), right, namespace}
	if known, ok := r.answers.Get(key); ok {
		return known.(bool), nil
	}
	resource, err := r.resource(right, namespace)
	if err != nil {
		return false, err
	}
	extra := map[string]authorizationv1.ExtraValue{}
	for name, values := range who.Extra {
		extra[name] = values
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	got, err := r.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		ResourceAttributes: resource, User: who.Name, UID: who.UID, Groups: who.Groups, Extra: extra}}, metav1.CreateOptions{})
	if err != nil {
		return false, explain("subjectaccessreviews", err)
	}
	allowed := got.Status.Allowed && !got.Status.Denied
	r.answers.Add(key, allowed, kept)
	return allowed, nil
}

// resource says which right of the cluster stands for which of ours.
func (r *Reviewer) resource(right login.Right, namespace string) (*authorizationv1.ResourceAttributes, error) {
	switch right {
	case login.See:
		return &authorizationv1.ResourceAttributes{Verb: "list", Resource: "pods", Namespace: namespace}, nil
	case login.Roots:
		return &authorizationv1.ResourceAttributes{Verb: "list", Resource: "namespaces"}, nil
	case login.Change:
		return &authorizationv1.ResourceAttributes{Verb: "patch", Group: "apps", Resource: "deployments", Namespace: namespace}, nil
	case login.Switch:
		return &authorizationv1.ResourceAttributes{Verb: "update", Resource: "configmaps", Namespace: r.Namespace, Name: r.Permit}, nil
	}
	return nil, fmt.Errorf("access: %q is no right", right)
}

// explain names the missing right. The API server's own words are kept for all other
// trouble: they name the request, never the token.
func explain(resource string, err error) error {
	if apierrors.IsForbidden(err) {
		return fmt.Errorf("K8Guard's account may not create %s; apply deploy/rbac-report.yaml", resource)
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
