package enforce

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// serve is a client of an API server that answers as it is told.
func serve(t *testing.T, answer http.HandlerFunc) kubernetes.Interface {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	client, err := kubernetes.NewForConfig(&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// say answers with JSON.
func say(w http.ResponseWriter, code int, object any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object)
}

// status answers as an API server does that says no.
func status(code int, reason metav1.StatusReason) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		say(w, code, metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"},
			Status: metav1.StatusFailure, Code: int32(code), Reason: reason, Message: "as it is told"})
	}
}

func again(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Retry-After", "0")
	w.WriteHeader(http.StatusServiceUnavailable)
}

func TestSendNamesHowAWriteEnded(t *testing.T) {
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	proxy := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "a proxy's page", code) }
	}
	for name, test := range map[string]struct {
		answers  []http.HandlerFunc
		refused  bool
		conflict bool
		again    bool
	}{
		"gone":                     {[]http.HandlerFunc{status(404, metav1.StatusReasonNotFound)}, true, false, false},
		"forbidden":                {[]http.HandlerFunc{status(403, metav1.StatusReasonForbidden)}, true, false, false},
		"bad":                      {[]http.HandlerFunc{status(400, metav1.StatusReasonBadRequest)}, true, false, false},
		"gone for good":            {[]http.HandlerFunc{status(410, metav1.StatusReasonGone)}, true, false, false},
		"invalid":                  {[]http.HandlerFunc{status(422, metav1.StatusReasonInvalid)}, true, false, false},
		"a conflict":               {[]http.HandlerFunc{status(409, metav1.StatusReasonConflict)}, false, true, false},
		"an error of the server":   {[]http.HandlerFunc{status(500, metav1.StatusReasonInternalError)}, false, false, false},
		"too late":                 {[]http.HandlerFunc{status(504, metav1.StatusReasonTimeout)}, false, false, false},
		"a proxy's 404":            {[]http.HandlerFunc{proxy(404)}, false, false, false},
		"a proxy's 403":            {[]http.HandlerFunc{proxy(403)}, false, false, false},
		"cut":                      {[]http.HandlerFunc{hangUp}, false, false, false},
		"gone after another try":   {[]http.HandlerFunc{again, status(404, metav1.StatusReasonNotFound)}, false, false, true},
		"conflict after two tries": {[]http.HandlerFunc{again, again, status(409, metav1.StatusReasonConflict)}, false, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			client := serve(t, func(w http.ResponseWriter, r *http.Request) {
				test.answers[min(int(asked.Add(1)), len(test.answers))-1](w, r)
			})
			err := send(t.Context(), func(ctx context.Context) error {
				return conflictOr(client.NetworkingV1().Ingresses("shop").Delete(ctx, "web", metav1.DeleteOptions{}))
			})
			n := int(asked.Load())
			if err == nil || n != len(test.answers) || errors.Is(err, errRefused) != test.refused ||
				errors.Is(err, errConflict) != test.conflict || errors.Is(err, errAgain) != test.again {
				t.Errorf("after %d requests: %v; want %+v", n, err, test)
			}
		})
	}
}

func TestSendOfWhatNeverLeft(t *testing.T) {
	lost := errors.New("no route to host")
	if err := send(t.Context(), func(context.Context) error { return lost }); !errors.Is(err, errAgain) || !errors.Is(err, lost) {
		t.Errorf("%v", err)
	}
	if err := send(t.Context(), func(context.Context) error { return nil }); err != nil {
		t.Errorf("%v", err)
	}
}
