package access_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	kubetesting "k8s.io/client-go/testing"

	"github.com/k8guard/k8guard/internal/access"
	"github.com/k8guard/k8guard/internal/login"
)

type server struct {
	*access.Reviewer
	now   time.Time
	asked []string
	err   error
}

func newServer() *server {
	s := &server{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	client := fake.NewClientset()
	client.PrependReactor("create", "*", func(a kubetesting.Action) (bool, runtime.Object, error) {
		if s.err != nil {
			return true, nil, s.err
		}
		switch o := a.(kubetesting.CreateAction).GetObject().(type) {
		case *authenticationv1.TokenReview:
			s.asked = append(s.asked, "who")
			o.Status.Authenticated = o.Spec.Token == "good"
			o.Status.User = authenticationv1.UserInfo{Username: "ada", UID: "1", Groups: []string{"dev"}, Extra: map[string]authenticationv1.ExtraValue{"x": {"y"}}}
			return true, o, nil
		case *authorizationv1.SubjectAccessReview:
			r := o.Spec.ResourceAttributes
			s.asked = append(s.asked, fmt.Sprintf("%s %v %v: %s %s.%s %s/%s", o.Spec.User, o.Spec.Groups, o.Spec.Extra, r.Verb, r.Resource, r.Group, r.Namespace, r.Name))
			o.Status.Allowed, o.Status.Denied = true, r.Namespace == "denied"
			return true, o, nil
		}
		return false, nil, nil
	})
	s.Reviewer = access.New(access.Settings{Client: client, Namespace: "k8guard", Permit: "k8guard-permit", Now: func() time.Time { return s.now }})
	return s
}

func TestQuestions(t *testing.T) {
	s, ctx := newServer(), context.Background()
	who, err := s.Who(ctx, "good")
	if err != nil || who.Name != "ada" || who.Groups[0] != "dev" || who.Extra["x"][0] != "y" {
		t.Fatal(who, err)
	}
	for _, q := range []struct {
		right     login.Right
		namespace string
		want      bool
	}{{login.See, "shop", true}, {login.See, "", true}, {login.See, "denied", false}, {login.Roots, "", true}, {login.Change, "shop", true}, {login.Switch, "", true}, {login.ChangeOf("CronJob"), "shop", true}, {login.ChangeOf("Ingress"), "shop", true}} {
		if ok, err := s.May(ctx, who, q.right, q.namespace); ok != q.want || err != nil {
			t.Errorf("%v: %v %v", q, ok, err)
		}
	}
	want := strings.Join([]string{"who", "list pods. shop/", "list pods. /", "list pods. denied/", "list namespaces. /", "patch deployments.apps shop/",
		"update configmaps. k8guard/k8guard-permit", "patch cronjobs.batch shop/", "create ingresses.networking.k8s.io shop/"}, "\nada [dev] map[x:[y]]: ")
	if got := strings.Join(s.asked, "\n"); got != want {
		t.Errorf("asked\n%s\nwant\n%s", got, want)
	}
	if _, err := s.May(ctx, who, "dance", "shop"); err == nil {
		t.Error("an unknown right")
	}
}

func TestWhatIsKept(t *testing.T) {
	s, ctx := newServer(), context.Background()
	count := func(step string, want int, do func()) {
		t.Helper()
		s.asked = nil
		if do(); len(s.asked) != want {
			t.Errorf("%s: asked %d times, want %d", step, len(s.asked), want)
		}
	}
	both := func(token string) {
		who, err := s.Who(ctx, token)
		if err == nil {
			_, _ = s.May(ctx, who, login.See, "shop")
		}
	}
	count("at first", 2, func() { both("good") })
	count("a moment later", 0, func() { s.now = s.now.Add(9 * time.Second); both("good") })
	count("seconds later", 2, func() { s.now = s.now.Add(2 * time.Second); both("good") })
	count("a wrong token each time", 2, func() { both("bad"); both("bad") })
	count("no for a minute", 1, func() {
		for range 5 {
			_, _ = s.May(ctx, login.Reader{Name: "ada"}, login.See, "denied")
			s.now = s.now.Add(11 * time.Second)
		}
	})
	count("no, a minute later", 1, func() {
		s.now = s.now.Add(10 * time.Second)
		_, _ = s.May(ctx, login.Reader{Name: "ada"}, login.See, "denied")
	})
	count("before a change", 2, func() {
		for range 2 {
			_, _ = s.MayNow(ctx, login.Reader{Name: "ada"}, login.See, "denied")
		}
	})
	count("two tokens of one account", 1, func() {
		for _, id := range []string{"JTI=1", "JTI=2"} {
			_, _ = s.May(ctx, login.Reader{Name: "bo", Extra: map[string][]string{"authentication.kubernetes.io/credential-id": {id}}}, login.See, "shop")
		}
	})
	count("another group", 1, func() { _, _ = s.May(ctx, login.Reader{Name: "ada", UID: "1"}, login.See, "shop") })
	s.now, s.err = s.now.Add(time.Minute), errors.New("down")
	if _, err := s.Who(ctx, "good"); err == nil || errors.Is(err, login.ErrToken) {
		t.Errorf("an error is no answer: %v", err)
	}
	s.err = nil
	count("an error is not kept", 2, func() { both("good") })
}

func TestAMissingRightIsNamed(t *testing.T) {
	s, ctx := newServer(), context.Background()
	if err := s.Check(ctx); err != nil {
		t.Fatal(err)
	}
	s.now, s.err = s.now.Add(time.Minute), apierrors.NewForbidden(schema.GroupResource{Resource: "x"}, "x", nil)
	for _, err := range []error{s.Check(ctx), second(s.Who(ctx, "hush")), second(s.May(ctx, login.Reader{Name: "a"}, login.See, ""))} {
		if err == nil || !strings.Contains(err.Error(), "apply deploy/rbac-report.yaml") || strings.Contains(err.Error(), "hush") {
			t.Errorf("%v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
