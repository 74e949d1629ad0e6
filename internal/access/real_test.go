package access_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/k8guard/k8guard/internal/access"
	"github.com/k8guard/k8guard/internal/login"
	"github.com/k8guard/k8guard/tools/controlplane"
	"github.com/k8guard/k8guard/tools/controlplane/controlplanetest"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// tenants makes two namespaces, each with an account that may view it, and returns the
// accounts' tokens. The first may change its own, too.
func tenants(t *testing.T, admin kubernetes.Interface) map[string]string {
	t.Helper()
	tokens := map[string]string{}
	for name, role := range map[string]string{"shop": "edit", "billing": "view"} {
		must(admin.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{}))
		must(admin.CoreV1().ServiceAccounts(name).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "ada"}}, metav1.CreateOptions{}))
		must(admin.RbacV1().RoleBindings(name).Create(t.Context(), &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "ada"},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Name: "ada", Namespace: name}}}, metav1.CreateOptions{}))
		request := must(admin.CoreV1().ServiceAccounts(name).CreateToken(t.Context(), "ada", &authenticationv1.TokenRequest{}, metav1.CreateOptions{}))
		tokens[name] = request.Status.Token
	}
	return tokens
}

// TestRealReaders asks a real API server about two real accounts, through the shipped one.
func TestRealReaders(t *testing.T) {
	c := controlplanetest.StartWith(t, controlplane.Options{WithoutKwok: true})
	admin := must(kubernetes.NewForConfig(must(c.RESTConfig())))
	apply := func(name string) {
		if err := c.Apply(t.Context(), filepath.Join("..", "..", "deploy", name)); err != nil {
			t.Fatal(err)
		}
	}
	apply("rbac-discover.yaml")
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := c.AccountKubeconfig(t.Context(), "k8guard", "k8guard-discover", path); err != nil {
		t.Fatal(err)
	}
	client := must(kubernetes.NewForConfig(must(clientcmd.BuildConfigFromFlags("", path))))
	reviewer := access.New(access.Settings{Client: client, Namespace: "k8guard", Permit: "k8guard-permit", Now: time.Now})
	if err := reviewer.Check(t.Context()); err == nil || !strings.Contains(err.Error(), "apply deploy/rbac-report.yaml") {
		t.Fatalf("without the rights: %v", err)
	}
	apply("rbac-report.yaml")
	for end := time.Now().Add(20 * time.Second); reviewer.Check(t.Context()) != nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("rbac-report.yaml has no effect")
		}
	}
	guard := must(login.New(login.Settings{Reviewer: reviewer, Book: login.NewBook(time.Now)}))
	h := guard.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ok, err := guard.May(r.Context(), login.Right(r.URL.Query().Get("right")), r.URL.Query().Get("namespace"))
		if err != nil {
			t.Error(err)
		}
		if !ok {
			w.WriteHeader(http.StatusForbidden)
		}
		_, _ = w.Write([]byte(login.ReaderOf(r.Context()).Name))
	}))
	tokens := tenants(t, admin)
	for _, q := range []struct {
		who       string
		right     login.Right
		namespace string
		code      int
	}{{"shop", login.See, "shop", 200}, {"shop", login.See, "billing", 403}, {"shop", login.See, "", 403}, {"shop", login.Change, "shop", 200}, {"shop", login.Change, "billing", 403},
		{"shop", login.Switch, "", 403}, {"shop", login.Roots, "", 403}, {"billing", login.See, "billing", 200}, {"billing", login.See, "shop", 403}, {"billing", login.Change, "billing", 403}} {
		r := httptest.NewRequest("GET", "http://localhost/?namespace="+q.namespace+"&right="+strings.ReplaceAll(string(q.right), " ", "+"), nil)
		r.Header.Set("Authorization", "Bearer "+tokens[q.who])
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != q.code || w.Body.String() != "system:serviceaccount:"+q.who+":ada" {
			t.Errorf("%+v: %d %s", q, w.Code, w.Body)
		}
	}
	r := httptest.NewRequest("GET", "http://localhost/", nil)
	r.Header.Set("Authorization", "Bearer "+tokens["shop"][:len(tokens["shop"])-8]+"AAAAAAAA")
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusUnauthorized {
		t.Errorf("a forged token: %d", w.Code)
	}
}
