package app

import (
	"net/http"

	"sigs.k8s.io/yaml"
)

// firstRoutes are all that the first K8Guard served: its lists of what is bad, its version,
// and its configuration, without any secret.
func (in *instance) firstRoutes() map[string]http.Handler {
	routes := in.discover.Routes()
	routes["GET /version"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]string{"version": in.Version, "build": in.Commit})
	})
	routes["GET /config"] = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		text, err := in.Config.YAML()
		if err == nil {
			text, err = yaml.YAMLToJSON(text)
		}
		if err != nil {
			answer(w, http.StatusInternalServerError, map[string]string{"detail": err.Error()})
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(text)
	})
	return routes
}
