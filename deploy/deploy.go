// Package deploy holds the manifests that K8Guard ships, for programs.
//
// Purpose: enforcement compares the cluster's admission policies with the shipped ones.
//
// Concurrency: pure functions.
//
// Guarantees: what is returned is what the files beside this one say.
//
// It will not: apply anything.
package deploy

import (
	"bytes"
	_ "embed"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	"sigs.k8s.io/yaml"
)

//go:embed admission.yaml
var admission []byte

// Admission returns the policies and the bindings of admission.yaml. A document of another
// kind is an error: it would be held by nobody.
func Admission() ([]admissionv1.ValidatingAdmissionPolicy, []admissionv1.ValidatingAdmissionPolicyBinding, error) {
	var policies []admissionv1.ValidatingAdmissionPolicy
	var bindings []admissionv1.ValidatingAdmissionPolicyBinding
	for _, doc := range bytes.Split(admission, []byte("\n---\n")) {
		var p admissionv1.ValidatingAdmissionPolicy
		var b admissionv1.ValidatingAdmissionPolicyBinding
		if err := yaml.Unmarshal(doc, &p); err != nil {
			return nil, nil, fmt.Errorf("reading the shipped admission.yaml: %w", err)
		}
		switch p.Kind {
		case "ValidatingAdmissionPolicy":
			policies = append(policies, p)
		case "ValidatingAdmissionPolicyBinding":
			if err := yaml.UnmarshalStrict(doc, &b); err != nil {
				return nil, nil, fmt.Errorf("reading the shipped admission.yaml: %w", err)
			}
			bindings = append(bindings, b)
		default:
			return nil, nil, fmt.Errorf("reading the shipped admission.yaml: a %q is neither policy nor binding", p.Kind)
		}
	}
	return policies, bindings, nil
}
