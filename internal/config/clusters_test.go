package config_test

import (
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/config"
)

// Of two clusters with one name the error names both.
func TestTwoClustersOfOneNameAreRefused(t *testing.T) {
	c := config.Default()
	c.Clusters = []config.ActingCluster{{Name: "east", ActionKubeconfig: "a"}, {Name: "west", ActionKubeconfig: "b"}, {Name: "east", ActionKubeconfig: "c"}}
	err := config.Validate(c, nil)
	if err == nil || !strings.Contains(err.Error(), "clusters[2].name: is east, as clusters[0].name is") {
		t.Error(err)
	}
}
