package v1

import (
	"strings"
	"time"
)

// Version of the wire format, carried in every message as "v".
const Version = 1

// Cluster names a cluster twice: as people call it, and by an identity that cannot be
// configured wrongly (the UID of its kube-system namespace).
type Cluster struct {
	Name string `json:"name"`
	UID  string `json:"uid"`
}

// Root is the top of a controller chain: the object that people own and that K8Guard may
// act on. Namespace is empty for cluster-scoped kinds; for a Namespace it is its own name.
type Root struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	UID       string `json:"uid"`
}

// String is "Kind/namespace/name", or "Namespace/name".
func (r Root) String() string {
	if r.Kind == "Namespace" || r.Namespace == "" {
		return r.Kind + "/" + r.Name
	}
	return r.Kind + "/" + r.Namespace + "/" + r.Name
}

// Order places an observation among all others of its cluster: first by the epoch of
// discover's leadership, then by sequence. A lower order than one already applied is dropped.
type Order struct {
	Epoch int64 `json:"epoch"`
	Seq   int64 `json:"seq"`
}

// Before reports whether o is older than p.
func (o Order) Before(p Order) bool {
	return o.Epoch < p.Epoch || (o.Epoch == p.Epoch && o.Seq < p.Seq)
}

// RootState says whether the root exists.
type RootState string

// The states of a root. What could not be read is never "gone".
const (
	Live RootState = "live"
	Gone RootState = "gone"
)

// Owner is who is told, as the platform named them. Emails are lower-cased, sorted and
// free of duplicates; From is the evidence ("Namespace shop, annotation team/email-ids").
// Platform is false where a tenant could have written it, or it is the fallback.
type Owner struct {
	Emails []string `json:"emails,omitempty"`
	// Chat are names in a chat that the Namespace names beside; they are tagged, and name nobody
	// in the ledger.
	Chat     []string `json:"chat,omitempty"`
	From     string   `json:"from,omitempty"`
	Platform bool     `json:"platform,omitempty"`
}

// Key names the owner in the ledger: the addresses joined by commas, apart for those that
// the platform did not name, so that what one was told never counts for the other.
func (o Owner) Key() string {
	key := strings.Join(o.Emails, ",")
	if key != "" && !o.Platform {
		return "fallback/" + key
	}
	return key
}

// Observation is the verdict on one root at one moment: its template and its live pods,
// judged by every rule that applies to it.
type Observation struct {
	V       int       `json:"v"`
	Cluster Cluster   `json:"cluster"`
	Root    Root      `json:"root"`
	Order   Order     `json:"order"`
	At      time.Time `json:"at"`
	State   RootState `json:"state"`
	// Created is the root's creation time, by the API server's clock.
	Created time.Time `json:"created,omitzero"`
	// GenerateName and ServiceAccount are a Pod's or Job's: what they have in common with others
	// that are made in their place.
	GenerateName   string `json:"generateName,omitempty"`
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// Dormant says why nothing of the root runs ("scaled to zero"); empty when it may run.
	Dormant string `json:"dormant,omitempty"`
	// NoPods is true when the root makes pods, and none lived to be looked at.
	NoPods bool `json:"noPods,omitempty"`
	// Lost names what an act on the root would lose for good: "emptyDir cache".
	Lost  []string `json:"lost,omitempty"`
	Owner Owner    `json:"owner"`
	// Owners are told of what single rules find, by rule, in the place of Owner.
	Owners map[string]Owner `json:"owners,omitempty"`
	// Verdicts holds one entry for each rule that applies to the root, also when it passes.
	Verdicts []Verdict `json:"verdicts"`
	// Hash covers everything above that decides: state, dormant, owner, verdicts.
	Hash string `json:"hash"`
}

// VerdictState is what a rule says of a root.
type VerdictState string

// Unknown is neither: what a rule needs could not be read. It opens and resolves nothing.
const (
	Pass     VerdictState = "pass"
	Violated VerdictState = "violated"
	Unknown  VerdictState = "unknown"
)

// Verdict is one rule's word on one root.
type Verdict struct {
	Rule string `json:"rule"`
	// Version names the rule's code revision and its parameters, so that two verdicts with
	// equal versions mean the same thing.
	Version    string       `json:"version"`
	Severity   string       `json:"severity"`
	State      VerdictState `json:"state"`
	Reason     string       `json:"reason,omitempty"`
	Violations []Violation  `json:"violations,omitempty"`
}

// From says where a violation was seen.
type From string

// A violation in the template is the root's own and may be acted on; one that only a live
// pod shows is told, never acted on.
const (
	FromTemplate From = "template"
	FromPod      From = "pod"
)

// Violation is one defect. Source is what stays when the defect is edited (the container,
// the host); Evidence is what may change without a new case (the image, the value).
// All text may have been written by a tenant: treat it as hostile wherever it is shown.
type Violation struct {
	Type     string `json:"type"`
	Source   string `json:"source"`
	Message  string `json:"message"`
	Path     string `json:"path,omitempty"`
	Evidence string `json:"evidence,omitempty"`
	From     From   `json:"from"`
}

// Inventory is what is alive in one bucket of one cluster. It is applied whole or not at
// all: a root that is absent is gone only if its kind is among Kinds.
type Inventory struct {
	V       int       `json:"v"`
	Cluster Cluster   `json:"cluster"`
	Bucket  int       `json:"bucket"`
	Order   Order     `json:"order"`
	At      time.Time `json:"at"`
	// Kinds lists the kinds of root that were read completely.
	Kinds []string   `json:"kinds"`
	Roots []Sighting `json:"roots"`
	// Judged counts the roots of the whole cluster, for budgets in percent.
	Judged int `json:"judged"`
	// Violating counts those of them that violate a rule.
	Violating int `json:"violating,omitempty"`
	// Missing says what is not read completely, or silent; empty when the audit is whole.
	Missing string `json:"missing,omitempty"`
}

// Sighting is one live root in an inventory, with the hash of its newest observation.
type Sighting struct {
	UID  string `json:"uid"`
	Hash string `json:"hash"`
}

// Message is what travels on the bus: exactly one of its fields is set.
type Message struct {
	Observation *Observation `json:"observation,omitempty"`
	Inventory   *Inventory   `json:"inventory,omitempty"`
	Wake        *Wake        `json:"wake,omitempty"`
}

// Wake tells whoever has an outbox or a docket to look at it now. Exactly one of Box and
// Docket is set.
type Wake struct {
	V      int    `json:"v"`
	Box    string `json:"box,omitempty"`    // the outbox's key in the ledger
	Notice string `json:"notice,omitempty"` // a notice of it that is due again
	Docket string `json:"docket,omitempty"` // "cluster/root"
	// Order says that a person did it: no pause after a failure holds it up.
	Order bool `json:"order,omitempty"`
}
