package app

import (
	"encoding/json"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/k8guard/k8guard/internal/owner"
)

// WhoOwns is the answer of GET /api/v1/whoowns?namespace=NAME.
type WhoOwns struct {
	Namespace string   `json:"namespace"`
	Emails    []string `json:"emails"`
	From      string   `json:"from"`
	Platform  bool     `json:"platform"` // named by the platform: warnings to it count
	Malformed []string `json:"malformed,omitempty"`
}

// local serves what only the socket's commands may ask, beside all that the pages serve.
func (in *instance) local(pages http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", pages)
	mux.HandleFunc("GET /api/v1/whoowns", in.whoOwns)
	mux.HandleFunc("POST /api/v1/breaker/close", in.closeBreaker)
	mux.HandleFunc("GET /config", in.config)
	return mux
}

func (in *instance) whoOwns(w http.ResponseWriter, r *http.Request) {
	name := r.URL.Query().Get("namespace")
	ns, err := in.client.CoreV1().Namespaces().Get(r.Context(), name, metav1.GetOptions{})
	switch {
	case name == "" || apierrors.IsNotFound(err):
		answer(w, http.StatusNotFound, map[string]string{"detail": fmt.Sprintf("no namespace is called %q", name)})
		return
	case err != nil:
		answer(w, http.StatusBadGateway, map[string]string{"detail": err.Error()})
		return
	}
	key := in.Config.Owners.EmailAnnotation
	named := owner.Reachable(owner.FromNamespace(ns.Name, ns.Annotations, key), in.Config.Notify.Email.Domains)
	found := owner.Resolve(named, in.Config.Owners) // as an observation is treated
	_, malformed := owner.Addresses(ns.Annotations[key])
	answer(w, http.StatusOK, WhoOwns{Namespace: name, Emails: found.Emails, From: found.From, Platform: found.Platform, Malformed: malformed})
}

// config shows the configuration in force, with secrets masked.
func (in *instance) config(w http.ResponseWriter, _ *http.Request) {
	text, err := in.Config.YAML()
	if err != nil {
		answer(w, http.StatusInternalServerError, map[string]string{"detail": err.Error()})
		return
	}
	w.Header().Set("Content-Type", "application/yaml")
	_, _ = w.Write(text)
}

func (in *instance) closeBreaker(w http.ResponseWriter, r *http.Request) {
	var ask struct{ By, Reason string }
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&ask); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"detail": `write {"by": "...", "reason": "..."}: ` + err.Error()})
		return
	}
	if err := in.control.Close(r.Context(), ask.By, ask.Reason); err != nil {
		answer(w, http.StatusConflict, map[string]string{"detail": err.Error()})
		return
	}
	answer(w, http.StatusOK, map[string]string{"result": "the breaker is closed"})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body)
}
