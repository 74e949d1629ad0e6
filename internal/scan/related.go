package scan

import (
	"strings"

	"github.com/k8guard/k8guard/internal/entity"
)

// nothing is what a set of manifests says about the rest of the cluster: it is not known.
type nothing struct{}

func (nothing) Get(entity.Kind, string, string) (e entity.Entity, found, known bool) {
	return entity.Entity{}, false, false
}

// lines takes joined errors apart, so that each is counted and printed as one.
func lines(err error) []string {
	if err == nil {
		return []string{}
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		out := []string{}
		for _, e := range joined.Unwrap() {
			out = append(out, lines(e)...)
		}
		return out
	}
	return []string{strings.TrimSpace(err.Error())}
}
