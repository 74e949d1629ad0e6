package all

import (
	"testing"

	"github.com/k8guard/k8guard/internal/config"
)

func TestRules(t *testing.T) {
	all, err := Rules(config.Rules{}, config.Owners{})
	if err != nil || len(all) != 21 {
		t.Fatalf("%d rules, %v", len(all), err)
	}
	fewer, err := Rules(config.Rules{Disabled: []string{"PRIVILEGED"}}, config.Owners{})
	if err != nil || len(fewer) != 20 {
		t.Fatalf("%d rules, %v", len(fewer), err)
	}
	if _, err := Rules(config.Rules{Disabled: []string{"PRIVILEGD"}}, config.Owners{}); err == nil {
		t.Error("an unknown name in disabled is accepted")
	}
}
