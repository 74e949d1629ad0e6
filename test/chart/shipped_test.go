package chart

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/k8guard/k8guard/internal/config"
)

var update = flag.Bool("update", false, "write deploy/chart/k8guard/files, and with K8GUARD_HELM deploy/testdata/chart, anew") //nolint:gochecknoglobals // a flag of the test

func bufferOf(text []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(text)) }

// The chart can read nothing outside its folder, so it holds copies: of the manifests and of the
// dashboards (and of the rules for Prometheus, which tools/dashboards looks after).
func TestFilesAreTheShippedOnes(t *testing.T) {
	copies := map[string]string{}
	for _, name := range []string{"rbac-discover.yaml", "rbac-action.yaml", "rbac-report.yaml", "admission.yaml"} {
		copies[name] = name
	}
	boards, err := filepath.Glob(filepath.Join(deployDir, "grafana", "*.json"))
	if err != nil || len(boards) == 0 {
		t.Fatalf("%d dashboards, %v", len(boards), err)
	}
	for _, board := range boards {
		copies["grafana/"+filepath.Base(board)] = "dashboards/" + filepath.Base(board)
	}
	for from, to := range copies {
		sameFile(t, filepath.Join(deployDir, from), filepath.Join(chartDir, "files", to))
	}
	if has, _ := filepath.Glob(filepath.Join(chartDir, "files", "dashboards", "*")); len(has) != len(boards) {
		t.Errorf("the chart has %d dashboards, and there are %d", len(has), len(boards))
	}
}

// sameFile wants a copy to be one; with -update it makes it one.
func sameFile(t *testing.T, from, to string) {
	t.Helper()
	want := read(t, from)
	if *update {
		if err := os.WriteFile(to, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(read(t, to), want) {
		t.Errorf("%s is not %s: run make generate", to, from)
	}
}

// rights are the accounts, their rights, and what holds them; without labels.
func rights(all []runtime.Object) map[string]runtime.Object {
	kinds := []string{"ServiceAccount", "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding", "Lease", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"}
	found := map[string]runtime.Object{}
	for _, o := range all {
		kind := o.GetObjectKind().GroupVersionKind().Kind
		m, err := meta.Accessor(o)
		if err != nil || !slices.Contains(kinds, kind) {
			continue
		}
		m.SetLabels(nil)
		found[kind+" "+m.GetNamespace()+"/"+m.GetName()] = o
	}
	return found
}

// What the chart grants is what the manifests grant that people apply without Helm: in one pod
// and safe mode that is install.yaml, and nothing beside.
func TestRightsAreTheShippedOnes(t *testing.T) {
	for mode, files := range map[string][]string{
		"run":              {"install.yaml"},
		"run-enforce":      {"install.yaml", "rbac-action.yaml", "admission.yaml"},
		"run-exposed":      {"install.yaml", "rbac-report.yaml"},
		"services":         {"rbac-discover.yaml"},
		"services-enforce": {"rbac-discover.yaml", "rbac-action.yaml", "admission.yaml", "rbac-report.yaml"},
	} {
		want := map[string]runtime.Object{}
		for _, file := range files {
			for name, o := range rights(objects(t, read(t, filepath.Join(deployDir, file)))) {
				want[name] = o
			}
		}
		got := rights(objects(t, read(t, goldenFile(mode))))
		if strings.HasPrefix(mode, "services") { // each service has an account of its own
			for _, account := range []string{"k8guard-action", "k8guard-report"} {
				name := "ServiceAccount k8guard/" + account
				if _, ok := got[name]; !ok {
					t.Errorf("%s: lacks %s", mode, name)
				}
				delete(got, name)
				delete(want, name)
			}
			forAll(want)
		}
		same(t, mode, got, want)
	}
}

// forAll lets all three services ask about readers, where discover's account alone does without Helm.
func forAll(want map[string]runtime.Object) {
	const name = "ClusterRoleBinding /k8guard-report"
	shipped, ok := want[name].(*rbacv1.ClusterRoleBinding)
	if !ok {
		return
	}
	for _, account := range []string{"k8guard-action", "k8guard-report"} {
		shipped.Subjects = append(shipped.Subjects, rbacv1.Subject{Kind: "ServiceAccount", Namespace: "k8guard", Name: account})
	}
}

func same(t *testing.T, mode string, got, want map[string]runtime.Object) {
	t.Helper()
	for name, o := range want {
		if !reflect.DeepEqual(got[name], o) {
			t.Errorf("%s: %s\n got %s\nwant %s", mode, name, text(got[name]), text(o))
		}
	}
	for name := range got {
		if want[name] == nil {
			t.Errorf("%s: %s is granted, and no shipped manifest has it", mode, name)
		}
	}
}

func text(o any) string {
	raw, err := json.Marshal(o)
	if err != nil {
		return err.Error()
	}
	return string(raw)
}

// The schema knows the first level of the configuration; K8Guard checks what is below.
func TestSchemaKnowsTheConfiguration(t *testing.T) {
	var schema struct {
		Properties struct {
			Config struct {
				Properties map[string]struct{ Type []string }
			}
		}
	}
	if err := json.Unmarshal(read(t, filepath.Join(chartDir, "values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	known := schema.Properties.Config.Properties
	for i := range reflect.TypeFor[config.Config]().NumField() {
		field := reflect.TypeFor[config.Config]().Field(i)
		key, want := field.Tag.Get("yaml"), "object"
		if field.Type.Kind() == reflect.Slice {
			want = "array"
		}
		if got := known[key].Type; !slices.Equal(got, []string{want}) {
			t.Errorf("values.schema.json: config.%s is %v, want %s", key, got, want)
		}
		delete(known, key)
	}
	for key := range known {
		t.Errorf("values.schema.json: there is no config.%s", key)
	}
}
