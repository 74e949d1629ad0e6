package image

import (
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

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

// TestSizeOfBefore holds what a node reported some time against what one reports now.
func TestSizeOfBefore(t *testing.T) {
	size, err := Size(SizeParams{Limit: "5G"})
	if err != nil {
		t.Fatal(err)
	}
	digest := "sha256:" + strings.Repeat("a", 64)
	const named = "registry.example/x"
	for name, c := range map[string]struct {
		id    string
		bytes map[string]int64
		says  string // of the evidence; empty is no violation
	}{
		"only before":                    {named + "@" + digest, nil, "7G bytes, compressed, seen on a node before"},
		"docker's way to write it":       {"docker-pullable://" + named + "@" + digest, nil, "seen on a node before"},
		"the node's own word wins":       {named + "@" + digest, map[string]int64{named + "@" + digest: 1e9}, ""},
		"better than another's of a tag": {named + "@" + digest, map[string]int64{named + ":1": 6e9}, ": 7G bytes, compressed, seen"},
		"not by a name":                  {"", map[string]int64{named + ":1": 6e9}, "approximately, by its name: 6G bytes, compressed"},
		"not of another digest":          {named + "@sha256:" + strings.Repeat("b", 64), map[string]int64{named + ":1": 6e9}, "approximately"},
	} {
		t.Run(name, func(t *testing.T) {
			node := entity.Entity{Kind: entity.Node, Name: "a", Stored: &entity.Stored{Runtime: "containerd", Bytes: c.bytes, Before: map[string]int64{digest: 7e9}}}
			pod := entity.Entity{Kind: entity.Pod, Namespace: "shop", Name: "p", Node: "a", Running: []entity.Running{{Container: "main", Image: named + ":1", ImageID: c.id}}}
			r := size.Check(pod, rule.NewSet([]entity.Entity{node}))
			switch {
			case r.Unknown != "" || (c.says == "") != (len(r.Violations) == 0):
				t.Fatalf("%+v, want %q", r, c.says)
			case c.says != "" && (!strings.Contains(r.Violations[0].Evidence, c.says) || strings.Contains(c.says, "approximately") && strings.Contains(r.Violations[0].Evidence, "before")):
				t.Errorf("evidence %q, want %q", r.Violations[0].Evidence, c.says)
			}
		})
	}
}
