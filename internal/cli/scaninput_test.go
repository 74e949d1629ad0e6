package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/k8guard/k8guard/internal/scan"
)

// apiServer answers lists as a real one does; it knows one namespace and one pod, and refuses ingresses.
func apiServer(t *testing.T) (kubeconfig string, asked *[]string) {
	t.Helper()
	asked = new([]string)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		*asked = append(*asked, r.Method+" "+r.URL.Path)
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.URL.Path == "/version":
			_, _ = fmt.Fprint(w, `{"gitVersion":"v1.35.0"}`)
		case strings.HasSuffix(r.URL.Path, "/ingresses"):
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,"message":"ingresses is forbidden"}`)
		case strings.HasSuffix(r.URL.Path, "/pods"):
			_, _ = fmt.Fprint(w, `{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"a","namespace":"shop","uid":"1"},`+
				`"spec":{"containers":[{"name":"c","image":"x","securityContext":{"privileged":true}}]}}]}`)
		case r.URL.Path == "/api/v1/namespaces" && slices.Contains([]string{"", "metadata.name=shop"}, r.URL.Query().Get("fieldSelector")):
			_, _ = fmt.Fprint(w, `{"kind":"NamespaceList","apiVersion":"v1","items":[{"metadata":{"name":"shop","uid":"2","annotations":{"team/email-ids":"a@example.com"}}}]}`)
		default:
			_, _ = fmt.Fprint(w, `{"items":[]}`)
		}
	}))
	t.Cleanup(srv.Close)
	kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: '" + srv.URL + "'}}]\n" +
		"contexts: [{name: a, context: {cluster: c}}]\ncurrent-context: a\n"
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return kubeconfig, asked
}

func TestScanCluster(t *testing.T) {
	kubeconfig, asked := apiServer(t)
	for name, c := range map[string]struct {
		env  []string
		args []string
	}{
		"flag":        {nil, []string{"--kubeconfig", kubeconfig, "--context", "a"}},
		"environment": {[]string{"KUBECONFIG=/nowhere" + string(filepath.ListSeparator) + kubeconfig}, []string{"-n", "shop"}},
	} {
		out, _, err := with(t, c.env, append([]string{"scan", "--cluster", "-o", "json"}, c.args...)...)
		var report scan.Report
		if Code(err) != ExitFailure || json.Unmarshal([]byte(out), &report) != nil {
			t.Fatalf("%s: %v, %s", name, err, out)
		}
		if len(report.Errors) != 1 || !strings.Contains(report.Errors[0], "may not list ingresses.networking.k8s.io") {
			t.Errorf("%s: errors %v", name, report.Errors)
		}
		privileged := slices.ContainsFunc(report.Findings, func(f scan.Finding) bool { return f.Verdict.Rule == "PRIVILEGED" })
		if report.Summary.Objects != 2 || report.Summary.Violations != 1 || !privileged {
			t.Errorf("%s: %+v", name, report)
		}
	}
	seen := strings.Join(*asked, "\n")
	if strings.Contains(seen, "POST") || !strings.Contains(seen, "GET /apis/apps/v1/deployments") || !strings.Contains(seen, "GET /api/v1/namespaces/shop/pods") {
		t.Errorf("asked:\n%s", seen)
	}
}

// What is not there is no clean bill.
func TestScanOfNothingIsAnError(t *testing.T) {
	kubeconfig, _ := apiServer(t)
	dir := t.TempDir()
	for path, text := range map[string]string{
		"base/kustomization.yaml": "resources: [pod.yaml]\n",
		"base/pod.yaml":           "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, image: i}]}\n",
		"others/service.yaml":     "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\nfoo: bar\n",
		"empty/readme.txt":        "",
	} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(path)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for args, want := range map[string]string{
		"--cluster -n nope --kubeconfig " + kubeconfig: `no namespace is called "nope"`,
		dir + "/base":          "use -k " + dir + "/base",
		dir + "/base -R":       "was not built",
		dir + "/base/pod.yaml": "1 object:",
		dir + "/others":        "no rule judges what was read: 1 document that is no Kubernetes object, v1 Service (1)",
		dir + "/empty":         "no object was read",
	} {
		out, _, err := with(t, nil, append([]string{"scan"}, strings.Fields(args)...)...)
		judged := strings.Contains(args, "-R") || strings.HasSuffix(args, ".yaml")
		if (Code(err) == ExitFailure) == judged || !strings.Contains(out+Message(err), want) {
			t.Errorf("scan %s: %v\n%s", args, err, out)
		}
	}
}

func TestScanInputsThatDoNotGoTogether(t *testing.T) {
	for want, args := range map[string]string{
		"nothing to scan":                                    "",
		"one thing at a time":                                "-k a --cluster",
		"one thing at a time ":                               "a -f b --chart c",
		"--values and --chart-set need --chart":              "a --values v",
		"--kubeconfig and --context need --cluster":          "a --context c",
		"-n needs --cluster or --chart":                      "a -n shop",
		"no output format is called":                         "a -o yaml",
		"install helm, or pipe what it makes: helm template": "--chart c",
		"name a kubeconfig with --kubeconfig":                "--cluster --kubeconfig /nowhere",
	} {
		t.Setenv("PATH", "")
		out, _, err := with(t, nil, append([]string{"scan"}, strings.Fields(args)...)...)
		if Code(err) != ExitFailure || !strings.Contains(Message(err)+out, strings.TrimSpace(want)) {
			t.Errorf("scan %s: %v %s", args, err, out)
		}
	}
}

// Where no kubeconfig names a cluster, one piece of advice is given, and it is ours.
func TestScanWithoutAKubeconfig(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	for _, args := range []string{"--cluster", "--cluster --kubeconfig " + write(t, "empty", "")} {
		_, _, err := with(t, nil, append([]string{"scan"}, strings.Fields(args)...)...)
		if want := "finding the cluster: no kubeconfig names one; name a kubeconfig with --kubeconfig, or a context of it with --context"; Code(err) != ExitFailure || Message(err) != want {
			t.Errorf("scan %s: %v", args, err)
		}
	}
}

func TestScanStrict(t *testing.T) {
	const ns = "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, annotations: {team/email-ids: a@example.com}}\n"
	for in, code := range map[string]int{
		ns:                          0,
		ns + "spec: {nope: 1}\n":    ExitFailure,
		ns + "---\nfoo: bar\n":      ExitFailure,
		ns + "---\nkind: Service\n": 0,
		ns + "---\n{":               ExitFailure,
		strings.Replace(ns, "team/email-ids", "x", 1): ExitViolations,
	} {
		if out, err := execute(in, "scan", "-", "--strict", "--set", "owners.emailAnnotation=team/email-ids"); Code(err) != code {
			t.Errorf("%s: code %d, want %d; %s", in, Code(err), code, out)
		}
	}
}

func TestScanKustomization(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte("resources: [github.com/a/b]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := execute("", "scan", "-k", dir); Code(err) != ExitFailure || !strings.Contains(out, "is remote") {
		t.Errorf("%v %s", err, out)
	}
}
