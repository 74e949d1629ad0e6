package app

import (
	"encoding/json"
	"net/http"
	"strings"
)

// doors are what the pages' address serves, behind the guard, and what the socket does.
func (in *instance) doors() (pages, local http.Handler, err error) {
	if pages, err = in.handler(in.guard); err != nil {
		return nil, nil, err
	}
	mine, err := in.handler(nil)
	if err != nil {
		return nil, nil, err
	}
	return pages, in.local(mine), nil
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
	var ask struct {
		By, Reason, Scope string
		AcceptLedger      bool
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&ask); err != nil {
		answer(w, http.StatusBadRequest, map[string]string{"detail": `write {"by": "...", "reason": "..."}: ` + err.Error()})
		return
	}
	shut := in.control.Close
	if ask.AcceptLedger {
		shut = in.control.Accept
	}
	if err := shut(r.Context(), strings.TrimPrefix(ask.Scope, "cluster/"), ask.By, ask.Reason); err != nil {
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
