package enforce

import (
	"context"
	"errors"
	"fmt"
	"slices"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"

	"github.com/k8guard/k8guard/deploy"
)

// Account is the user that the shipped admission policies hold, and so the only one that may
// enforce.
const Account = "system:serviceaccount:k8guard:k8guard-action"

// Preflight says why enforcement must not start, or nil: two accounts that are one, an
// account that the admission policies do not hold, or policies that are missing or not the
// shipped ones. Discover's client is nil where it runs elsewhere, with an account of its own.
func (e *Enforcer) Preflight(ctx context.Context, discover kubernetes.Interface) error {
	theirs := ""
	if discover != nil {
		var err error
		if theirs, err = whoami(ctx, discover); err != nil {
			return fmt.Errorf("asking who discover's account is: %w", err)
		}
	}
	mine, err := whoami(ctx, e.Client)
	if err != nil {
		return fmt.Errorf("asking who action's account is: %w", err)
	}
	if theirs == mine {
		return fmt.Errorf("discover and enforcement use one account (%s); give enforcement its own in cluster.actionKubeconfig", mine)
	}
	if mine != Account {
		return fmt.Errorf("enforcement's account is %s, which the admission policies do not hold; use %s", mine, Account)
	}
	return e.admission(ctx)
}

func whoami(ctx context.Context, c kubernetes.Interface) (string, error) {
	r, err := c.AuthenticationV1().SelfSubjectReviews().Create(ctx, &authenticationv1.SelfSubjectReview{}, metav1.CreateOptions{})
	if apierrors.IsUnauthorized(err) {
		return "", fmt.Errorf("the API server does not know its token or certificate (401): %w", err)
	}
	if err != nil {
		return "", err
	}
	return r.Status.UserInfo.Username, nil
}

// admission compares the cluster's admission policies with those that K8Guard ships.
func (e *Enforcer) admission(ctx context.Context) error {
	policies, bindings, err := deploy.Admission()
	if err != nil {
		return err
	}
	api := e.Client.AdmissionregistrationV1()
	var errs []error
	for _, want := range policies {
		have, err := api.ValidatingAdmissionPolicies().Get(ctx, want.Name, metav1.GetOptions{})
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("admission policy %s: %w", want.Name, err))
		case have.DeletionTimestamp != nil || !apiequality.Semantic.DeepEqual(defaulted(want.Spec), have.Spec):
			errs = append(errs, fmt.Errorf("admission policy %s differs from the shipped one", want.Name))
		}
	}
	for _, want := range bindings {
		have, err := api.ValidatingAdmissionPolicyBindings().Get(ctx, want.Name, metav1.GetOptions{})
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("binding %s: %w", want.Name, err))
		case have.DeletionTimestamp != nil || !apiequality.Semantic.DeepEqual(want.Spec, have.Spec):
			errs = append(errs, fmt.Errorf("binding %s does not deny everywhere, as the shipped one does", want.Name))
		}
	}
	if len(errs) > 0 {
		return fmt.Errorf("%w; apply deploy/admission.yaml", errors.Join(errs...))
	}
	return nil
}

// defaulted fills in what the API server fills in where the shipped manifest is silent.
func defaulted(s admissionv1.ValidatingAdmissionPolicySpec) admissionv1.ValidatingAdmissionPolicySpec {
	m := *s.MatchConstraints
	if m.NamespaceSelector == nil {
		m.NamespaceSelector = &metav1.LabelSelector{}
	}
	if m.ObjectSelector == nil {
		m.ObjectSelector = &metav1.LabelSelector{}
	}
	m.ResourceRules = slices.Clone(m.ResourceRules)
	for i := range m.ResourceRules {
		if m.ResourceRules[i].Scope == nil {
			m.ResourceRules[i].Scope = ptr.To(admissionv1.AllScopes)
		}
	}
	s.MatchConstraints = &m
	return s
}
