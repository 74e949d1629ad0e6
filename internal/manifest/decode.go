package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"

	"github.com/k8guard/k8guard/internal/entity"
)

type decoder struct {
	objects runtime.Decoder
	line    *regexp.Regexp
}

func newDecoder() decoder {
	return decoder{
		objects: serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer(),
		line:    regexp.MustCompile(`line (\d+):? ?`),
	}
}

// place is where a document begins.
type place struct {
	file string
	line int
}

func (p place) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %w", p.file, p.line, fmt.Errorf(format, args...))
}

// header is what says how to read the rest.
type header struct {
	metav1.TypeMeta `json:",inline"`
	Items           []json.RawMessage `json:"items"`
}

func (d decoder) document(set *Set, at place, doc document) error {
	object, err := yaml.YAMLToJSONStrict(doc.text)
	if err != nil {
		text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "error converting YAML to JSON: "), "yaml: ")
		return place{file: at.file, line: d.brokenLine(err, doc)}.errorf("this is no valid YAML: %s; correct it there, or check the indentation above", d.line.ReplaceAllString(text, ""))
	}
	if string(object) == "null" {
		return nil
	}
	return d.object(set, at, object, metav1.TypeMeta{}, true)
}

// brokenLine turns the line within the document, which the YAML error names, into the file's.
func (d decoder) brokenLine(err error, doc document) int {
	if m := d.line.FindStringSubmatch(err.Error()); m != nil {
		if n, convErr := strconv.Atoi(m[1]); convErr == nil {
			return doc.offset + n
		}
	}
	return doc.line
}

// object reads one object, or a list of them. Items of a typed list may leave out their
// type: it is then fallback. A list inside a list is an error, as it is for the API.
func (d decoder) object(set *Set, at place, object []byte, fallback metav1.TypeMeta, listAllowed bool) error {
	var h header
	if err := json.Unmarshal(object, &h); err != nil {
		return at.errorf("this is no Kubernetes object: write a mapping with apiVersion and kind")
	}
	if h.Kind == "" && h.APIVersion == "" {
		h.TypeMeta = fallback
	}
	if h.Items != nil && strings.HasSuffix(h.Kind, "List") {
		if !listAllowed {
			return at.errorf("a list inside a list; write its items beside it")
		}
		return d.items(set, at, h)
	}
	if !read(h.Kind) {
		if err := misspelt(h.TypeMeta); err != nil {
			return at.errorf("%w", err)
		}
		set.Skipped[name(h.TypeMeta)]++
		return nil
	}
	if want := current(entity.Kind(h.Kind)); h.APIVersion != want && h.TypeMeta != autoscalerV1() {
		return d.otherGroup(set, at, h.TypeMeta, want)
	}
	return d.entity(set, at, object, h.TypeMeta)
}

func (d decoder) items(set *Set, at place, h header) error {
	element := metav1.TypeMeta{APIVersion: h.APIVersion, Kind: strings.TrimSuffix(h.Kind, "List")}
	var errs []error
	for _, item := range h.Items {
		errs = append(errs, d.object(set, at, item, element, false))
	}
	return errors.Join(errs...)
}

func (d decoder) entity(set *Set, at place, object []byte, t metav1.TypeMeta) error {
	gvk := t.GroupVersionKind()
	decoded, _, err := d.objects.Decode(object, &gvk, nil)
	if runtime.IsStrictDecodingError(err) && decoded != nil {
		set.Warnings = append(set.Warnings, fmt.Sprintf("%s:%d: %v", at.file, at.line, err))
		err = nil
	}
	if err != nil {
		return at.errorf("this is no valid %s: %w; compare it with kubectl explain %s", t.Kind, err, strings.ToLower(t.Kind))
	}
	e, err := entity.From(decoded)
	if err != nil {
		return at.errorf("%w", err)
	}
	e.UID, e.ResourceVersion = "", ""
	if slices.Contains(entity.Related(), e.Kind) {
		set.Related = append(set.Related, e.Slim())
		return nil
	}
	set.Items = append(set.Items, Item{Entity: e, File: at.file, Line: at.line})
	return nil
}

// otherGroup refuses what Kubernetes once served under another group, for a cluster would
// not take it; the kind of somebody else's group is merely skipped.
func (d decoder) otherGroup(set *Set, at place, t metav1.TypeMeta, want string) error {
	group, _, _ := strings.Cut(t.APIVersion, "/")
	switch group {
	case "extensions", "apps", "autoscaling", "batch", "networking.k8s.io", "v1", "":
		return at.errorf("no cluster serves %s %s; write apiVersion: %s", t.APIVersion, t.Kind, want)
	}
	set.Skipped[name(t)]++
	return nil
}

// autoscalerV1 is served beside autoscaling/v2, and many charts write it.
func autoscalerV1() metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: "autoscaling/v1", Kind: string(entity.HorizontalPodAutoscaler)}
}

func read(kind string) bool { return current(entity.Kind(kind)) != "" }

// current is the apiVersion that clusters serve the kind under.
func current(kind entity.Kind) string {
	switch kind {
	case entity.Namespace, entity.Pod, entity.ResourceQuota, entity.Node:
		return "v1"
	case entity.HorizontalPodAutoscaler:
		return "autoscaling/v2"
	case entity.Deployment, entity.StatefulSet, entity.DaemonSet, entity.ReplicaSet:
		return "apps/v1"
	case entity.Job, entity.CronJob:
		return "batch/v1"
	case entity.Ingress:
		return "networking.k8s.io/v1"
	}
	return ""
}

// NoObject is the key in [Set.Skipped] of documents that name no kind.
const NoObject = "(no Kubernetes object)"

// Skipped says in words how many of a kind of [Set.Skipped] there are.
func Skipped(kind string, n int) string {
	switch {
	case kind == NoObject && n == 1:
		return "1 document that is no Kubernetes object"
	case kind == NoObject:
		return fmt.Sprintf("%d documents that are no Kubernetes objects", n)
	}
	return fmt.Sprintf("%s (%d)", kind, n)
}

func name(t metav1.TypeMeta) string {
	if t.Kind == "" {
		return NoObject
	}
	return t.APIVersion + " " + t.Kind
}
