package report_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "write the golden files anew") //nolint:gochecknoglobals // a flag of the test

func TestOpenAPIDocument(t *testing.T) {
	got := indent(t, send(build(t, sample(0), &desk{}), "GET", "/api/v1/openapi.json", "").Body.Bytes())
	const golden = "testdata/openapi.json"
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("the document differs from %s (%v); names in it are a promise: look at the difference, then run with -update", golden, err)
	}
}

func indent(t *testing.T, text []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", " "); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestAnswersAreAsDescribed asks every address of the document, and validates each answer,
// good and bad, with a schema library that knows nothing of ours.
func TestAnswersAreAsDescribed(t *testing.T) {
	h := build(t, sample(12), &desk{})
	text := send(h, "GET", "/api/v1/openapi.json", "").Body.Bytes()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiled, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err == nil {
		err = compiler.AddResource("openapi.json", compiled)
	}
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(text, &document); err != nil || len(document.Paths) < 13 {
		t.Fatalf("%d paths, %v", len(document.Paths), err)
	}
	bodies := map[string]string{"undo": `{"by":"ana","reason":"mine"}`, "freeze": `{"scope":"global","by":"ana","reason":"storm"}`,
		"ack": `{"by":"ana","reason":"seen","for":"48h"}`}
	for path, operations := range document.Paths {
		for method := range operations {
			url, body := strings.ReplaceAll(path, "{id}", "c0001"), bodies[path[strings.LastIndex(path, "/")+1:]]
			if strings.HasSuffix(path, "unfreeze") {
				body = bodies["freeze"]
			}
			ok := send(h, strings.ToUpper(method), url, body, "Content-Type", "application/json")
			bad := send(h, strings.ToUpper(method), strings.ReplaceAll(url, "c0001", "none")+"?limit=-1", "{}", "Content-Type", "application/json")
			if ok.Code != http.StatusOK {
				t.Errorf("%s %s: %d", method, url, ok.Code)
			}
			for _, w := range []*httptest.ResponseRecorder{ok, bad} {
				valid(t, compiler, method, path, w)
			}
		}
	}
	for _, path := range []string{"/api/v1/acts?what=refused", "/api/v1/cases?status=acted"} {
		valid(t, compiler, "get", strings.Split(path, "?")[0], send(h, "GET", path, ""))
	}
}

// valid wants the answer to be as the document says of its code.
func valid(t *testing.T, c *jsonschema.Compiler, method, path string, w *httptest.ResponseRecorder) {
	t.Helper()
	end := "default/content/application~1problem+json/schema"
	if w.Code == http.StatusOK {
		end = "200/content/application~1json/schema"
	}
	schema, err := c.Compile("openapi.json#/paths/" + strings.ReplaceAll(path, "/", "~1") + "/" + method + "/responses/" + end)
	if err != nil {
		t.Fatal(err)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(w.Body.Bytes()))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("%s %s: %v\n%.600s", method, path, err, w.Body)
	}
}

// TestEveryServedRouteIsDescribed asks for what the document does not name.
func TestEveryServedRouteIsDescribed(t *testing.T) {
	h := build(t, sample(1), &desk{})
	var document struct {
		Paths map[string]map[string]any `json:"paths"`
	}
	if err := json.Unmarshal(send(h, "GET", "/api/v1/openapi.json", "").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("api.go")
	if err != nil {
		t.Fatal(err)
	}
	// One registration serves the list that the document is made from; a second would be a
	// route that it does not know.
	if n := bytes.Count(source, []byte("mux.Handle")); n != 2 {
		t.Errorf("api.go registers %d patterns: one for the list of endpoints and one for what is not found", n)
	}
	for _, method := range []string{"GET", "POST", "PUT", "DELETE", "PATCH"} {
		for path, operations := range document.Paths {
			w := send(h, method, strings.ReplaceAll(path, "{id}", "c0000"), `{"by":"a","reason":"b","scope":"global"}`, "Content-Type", "application/json")
			if _, described := operations[strings.ToLower(method)]; described != (w.Code == 200) {
				t.Errorf("%s %s: %d, described: %t", method, path, w.Code, described)
			}
		}
	}
}
