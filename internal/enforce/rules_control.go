package enforce

import apierrors "k8s.io/apimachinery/pkg/api/errors"

// Rule 8. Budgets: granted before acting, by a round that is on record.
func budget(f Facts) No {
	switch {
	case f.Grant.Err != nil:
		return no("the budget cannot be read: %v", f.Grant.Err)
	case f.Grant.Over != "":
		return yes() // rule 9 says so
	case f.Grant.Pending || f.Grant.ID == "":
		return no("waits for the budget's round")
	case !f.Now.Before(f.Grant.Expires):
		return no("the budget's grant expired")
	}
	return yes()
}

// Rule 9. Over budget: none. Not the first few: none, and a human is told. Which limit, and by
// whose acts, is on the budget page: a docket is read by who may see its namespace only.
func overBudgetNone(f Facts) No {
	if f.Grant.Over != "" {
		return human("over budget: none of the round is done; the budget page says why; look at what became due at once, and raise the budget only if it is right")
	}
	return yes()
}

// Rule 10. The circuit breaker is closed. Why it is open is on the overview: it may tell of
// others.
func breakerClosed(f Facts) No {
	switch {
	case f.Breaker.Err != nil:
		return no("the circuit breaker cannot be read: %v", f.Breaker.Err)
	case f.Breaker.On:
		return no("the circuit breaker is open; a person closes it, with a reason")
	}
	return yes()
}

// Rule 15. Two independent ways to stop everything: the freeze in the ledger, and the
// permit in the cluster, which K8Guard may only read.
func freezeAndPermit(f Facts) No {
	switch {
	case f.Freeze.Err != nil:
		return no("the freeze cannot be read: %v", f.Freeze.Err)
	case f.Freeze.On:
		return no("frozen: %s; k8guard unfreeze lifts it", f.Freeze.Text)
	case apierrors.IsNotFound(f.Permit.Err):
		return no("no permit: the ConfigMap %q is absent; people write it", f.Config.Permit)
	case f.Permit.Err != nil:
		return no("the permit cannot be read, which counts as frozen: %v", f.Permit.Err)
	case !f.Permit.On && f.Permit.Word != "":
		return no("no permit: the ConfigMap %q says %s: %s, not %q; people write it", f.Config.Permit, PermitKey, f.Permit.Word, PermitValue)
	case !f.Permit.On:
		return no("no permit; people allow enforcement in the ConfigMap %q", f.Config.Permit)
	}
	return yes()
}
