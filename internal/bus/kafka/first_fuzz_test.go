package kafka

import (
	"encoding/json"
	"testing"

	"github.com/k8guard/k8guard/internal/bus"
)

func TestTheFirstK8GuardsMessage(t *testing.T) {
	for text, want := range map[string]bus.Hint{
		`{"data":{"Name":"web","Namespace":"shop","Cluster":"east","Violations":[{"Source":"repo/x:latest","Type":"IMAGE_REPO"}]},"kind":"deployment"}`: {Cluster: "east", Kind: "deployment", Namespace: "shop", Name: "web"},
		`{"kind":"namespace","data":{"Name":"shop","Namespace":"shop","Cluster":"","Violations":null}}`:                                                 {Kind: "namespace", Namespace: "shop", Name: "shop"},
		`{"Name":"web","Namespace":"shop","Cluster":"east","Violations":[]}`:                                                                            {Cluster: "east", Namespace: "shop", Name: "web"},
		`{"kind":"test","data":{}}`: {Kind: "test"},
		`{"kind":"ingress","data":{"Name":"a","Namespace":"b","More":{"x":[1]}},"more":true}`: {Kind: "ingress", Namespace: "b", Name: "a"},
	} {
		if got, err := decodeFirst([]byte(text)); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "{", "[]", "null", "{}", `{"kind":"secret","data":{"Name":"a"}}`, `{"kind":"pod","data":{"Namespace":"a"}}`, `{"kind":1}`,
		`{"kind":"pod","data":[]}`, `{"kind":"pod","data":{"Name":{"a":1}}}`} {
		if got, err := decodeFirst([]byte(text)); err == nil {
			t.Errorf("%s is taken: %+v", text, got)
		}
	}
}

// Whatever lies on the topic, a hint has bounded names of kinds that are known, and is read
// the same when it is written down again.
func FuzzFirst(f *testing.F) {
	f.Add([]byte(`{"kind":"deployment","data":{"Name":"web","Namespace":"shop","Cluster":"east","Violations":[{"Source":"x","Type":"IMAGE_REPO"}]}}`))
	f.Add([]byte(`{"Name":"\u0000\u202e","data":{"name":"x"},"kind":"pod","KIND":"job"}`))
	f.Add([]byte(`{"kind":"` + "\xff" + `"}`))
	f.Fuzz(func(t *testing.T, value []byte) {
		h, err := decodeFirst(value)
		if err != nil {
			if len(err.Error()) > 2*maxReason {
				t.Errorf("a reason of %d bytes", len(err.Error()))
			}
			return
		}
		if h.Kind != "test" && h.Name == "" || len(h.Name) > maxName || len(h.Namespace) > maxName || h.Kind != "test" && len(h.Cluster) > maxName {
			t.Fatalf("%+v", h)
		}
		again, err := json.Marshal(map[string]any{"kind": h.Kind, "data": map[string]string{"Name": h.Name, "Namespace": h.Namespace, "Cluster": h.Cluster}})
		if err != nil {
			t.Fatal(err)
		}
		if same, err := decodeFirst(again); err != nil || same != h {
			t.Errorf("%+v is read as %+v, %v", h, same, err)
		}
	})
}
