package manifest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop, uid: tenant-made}\nspec: {containers: [{name: c, image: i}]}\n"

func TestReadKeepsTheRest(t *testing.T) {
	in := pod + "---\nkind: [broken\n---\n# note\n" + pod + "---\napiVersion: v1\nkind: Secret\n---\napiVersion: extensions/v1beta1\nkind: Ingress\n"
	set, err := Read([]string{"-"}, false, strings.NewReader(in))
	if len(set.Items) != 2 || set.Items[1].Line != 9 || set.Items[0].Entity.UID != "" {
		t.Fatalf("items = %+v", set.Items)
	}
	if set.Skipped["v1 Secret"] != 1 {
		t.Errorf("skipped = %v", set.Skipped)
	}
	if err == nil || !strings.Contains(err.Error(), "(stdin):") || !strings.Contains(err.Error(), "write apiVersion: networking.k8s.io/v1") {
		t.Errorf("error = %v", err)
	}
}

func TestReadLists(t *testing.T) {
	for _, in := range []string{
		`{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}]}`,
		`{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"a"}}]}`,
	} {
		set, err := Read([]string{"-"}, false, strings.NewReader(in))
		if err != nil || len(set.Items) != 1 || set.Items[0].Entity.Name != "a" {
			t.Errorf("%s: %+v, %v", in, set, err)
		}
	}
}

func TestReadRefusesBombsAndTypos(t *testing.T) {
	bomb := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'j'; c++ {
		prev := "*" + string(c-1)
		bomb += string(c) + ": &" + string(c) + " [" + strings.Repeat(prev+",", 9) + prev + "]\n"
	}
	if _, err := Read([]string{"-"}, false, strings.NewReader(bomb)); err == nil {
		t.Error("an alias bomb was read")
	}
	if _, err := Read([]string{"-"}, false, strings.NewReader("a: "+strings.Repeat("x", MaxDocument))); err == nil {
		t.Error("an oversized document was read")
	}
	set, err := Read([]string{"-"}, false, strings.NewReader(strings.Replace(pod, "spec: {", "spec: {hostNetwrok: true, ", 1)))
	if err != nil || len(set.Items) != 1 || len(set.Warnings) != 1 {
		t.Errorf("a typo gave %+v, %v", set, err)
	}
}

// A slip of the pen in a kind of Kubernetes' own must not pass a pipeline; what a CRD may bring is left alone.
func TestAMisspeltKindIsAnError(t *testing.T) {
	for typed, want := range map[string]string{
		"apps/v1 Deploymnet":               "(stdin):1: no cluster serves apps/v1 Deploymnet; did you mean Deployment?",
		"apps/v1 deployment":               "did you mean Deployment?",
		"v1 Pood":                          "did you mean Pod?",
		"batch/v1 Cronjob":                 "did you mean CronJob?",
		"networking.k8s.io/v1 Ingres":      "did you mean Ingress?",
		"apps/v1 Whatever":                 "write one of ",
		"v1 Secret":                        "",
		"v1 ServiceList":                   "",
		"policy/v1 PodDisruptionBudget":    "",
		"policy/v1beta1 PodSecurityPolicy": "", // gone, and no slip
		"argoproj.io/v1alpha1 Deploymnet":  "",
		"gateway.networking.k8s.io/v1 Ing": "",
	} {
		version, kind, _ := strings.Cut(typed, " ")
		set, err := Read([]string{"-"}, false, strings.NewReader("apiVersion: "+version+"\nkind: "+kind+"\nmetadata: {name: a}\n"))
		if want == "" && (err != nil || set.Skipped[typed] != 1) {
			t.Errorf("%s: %v, skipped %v", typed, err, set.Skipped)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want) || len(set.Skipped) != 0) {
			t.Errorf("%s: %v, want %q", typed, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(pod + "---\n" + pod)
	f.Add("--- {kind: PodList, apiVersion: v1, items: [null, 1]}\n")
	f.Fuzz(func(t *testing.T, in string) {
		set, _ := Read([]string{"-"}, false, strings.NewReader(in))
		for _, item := range set.Items {
			if item.Line < 1 || item.Entity.Kind == "" {
				t.Fatalf("%+v", item)
			}
		}
	})
}

// One folder is not called folders.
func TestWhatWasNotReadIsCounted(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.yaml"), []byte(pod), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 folder below it was not read; -R reads below", "2 folders below it were not read; -R reads below"} {
		if err := os.Mkdir(filepath.Join(dir, want[:1]), 0o700); err != nil {
			t.Fatal(err)
		}
		set, err := Read([]string{dir}, false, nil)
		if err != nil || len(set.Warnings) != 1 || !strings.HasSuffix(set.Warnings[0], want) {
			t.Errorf("%q, %v; want %q", set.Warnings, err, want)
		}
	}
}
