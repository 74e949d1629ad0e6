package image

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/ruletest"
)

func TestManifests(t *testing.T) {
	repo, err := Repo(RepoParams{Approved: []string{"nginx", "gcr.io/my-project", "registry.demo.example:5000"}})
	if err != nil {
		t.Fatal(err)
	}
	size, err := Size(SizeParams{Limit: "5G"})
	if err != nil {
		t.Fatal(err)
	}
	ruletest.Run(t, []rule.Rule{repo, size}, "testdata")
}

func TestApprovalRefusesTags(t *testing.T) {
	for _, bad := range []string{"", "nginx:latest", "gcr.io/x:1", "gcr.io/UPPER", "a b", "gcr.io//x"} {
		if _, err := Repo(RepoParams{Approved: []string{bad}}); err == nil {
			t.Errorf("%q is approved", bad)
		}
	}
}

func TestApprovalHoldsByWholeSegments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.StringMatching("[a-z]{1,8}").Draw(t, "path")
		more := rapid.StringMatching("[a-z0-9]{1,8}").Draw(t, "more")
		a, err := parseApprovals([]string{"gcr.io/" + path})
		if err != nil || a.covers("gcr.io/"+path+more+"/x") || !a.covers("gcr.io/"+path+"/"+more) {
			t.Fatalf("%v %v", a, err)
		}
	})
}

func FuzzNormalise(f *testing.F) {
	f.Add("nginx")
	f.Add("localhost:5000/a@sha256:0")
	f.Fuzz(func(t *testing.T, image string) {
		name, err := normalise(image)
		if err != nil {
			return
		}
		if again, err := normalise(name); err != nil || again != name {
			t.Fatalf("%q: %q, then %q, %v", image, name, again, err)
		}
	})
}
