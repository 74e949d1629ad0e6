package image

import (
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/ruletest"
)

func TestSizeManifests(t *testing.T) {
	r, err := Size(SizeParams{Limit: "5G"})
	if err != nil {
		t.Fatal(err)
	}
	ruletest.Run(t, []rule.Rule{r}, "testdata")
}

func TestSizeRefusesALimitThatIsNone(t *testing.T) {
	for _, bad := range []string{"0", "-1", "5 GB", "big"} {
		if _, err := Size(SizeParams{Limit: bad}); err == nil || !strings.Contains(err.Error(), "800Mi") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Neither a pass that hides nor a violation that lies.
func TestSizeThatIsNotKnown(t *testing.T) {
	size, err := Size(SizeParams{Limit: "5G"})
	if err != nil {
		t.Fatal(err)
	}
	node := entity.Entity{Kind: entity.Node, Name: "a", Stored: &entity.Stored{Runtime: "containerd",
		Bytes: map[string]int64{"registry.example/big:1": 7e9, "registry.example/small:1": 7e6}}}
	pod := func(images ...string) entity.Entity {
		e := entity.Entity{Kind: entity.Pod, Namespace: "shop", Name: "p", Node: "a"}
		for _, i := range images {
			e.Running = append(e.Running, entity.Running{Container: i, Image: "registry.example/" + i + ":1"})
		}
		return e
	}
	placed := pod("small")
	placed.Node = ""
	gone := pod("small")
	gone.Node = "b"
	for name, c := range map[string]struct {
		pod     entity.Entity
		related rule.Related
		found   int
		says    string
	}{
		"nodes denied":       {pod("small"), rule.NewSet(nil, entity.Node), 0, "nodes could not be read"},
		"not placed":         {placed, rule.NewSet([]entity.Entity{node}), 0, "no node yet"},
		"not started":        {pod(), rule.NewSet([]entity.Entity{node}), 0, "did not say yet"},
		"node is gone":       {gone, rule.NewSet([]entity.Entity{node}), 0, "node is gone"},
		"not among the 50":   {pod("small", "other"), rule.NewSet([]entity.Entity{node}), 0, "container other"},
		"one is, one not":    {pod("big", "other"), rule.NewSet([]entity.Entity{node}), 1, "container other"},
		"all are, one big":   {pod("big", "small"), rule.NewSet([]entity.Entity{node}), 1, ""},
		"all are, and small": {pod("small"), rule.NewSet([]entity.Entity{node}), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := size.Check(c.pod, c.related)
			if len(r.Violations) != c.found || !strings.Contains(r.Unknown, c.says) || (c.says == "") != (r.Unknown == "") {
				t.Errorf("%+v, want %d and %q", r, c.found, c.says)
			}
			for _, v := range r.Violations {
				if !strings.Contains(v.Evidence, "approximately") || !strings.Contains(v.Evidence, "compressed") {
					t.Errorf("evidence %q names neither how sure it is nor what was measured", v.Evidence)
				}
			}
		})
	}
}
