package enforce

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/rule"
)

// Annotation is the one annotation that K8Guard writes on objects that are not its own: a
// fence, or the mark of a restored ingress. Its value begins with the enforcement's ID.
const Annotation = "k8guard.io/enforcement"

// Facts is everything that the gate may look at. What could not be read carries its error:
// a missing fact refuses.
type Facts struct {
	Now     time.Time
	Config  config.Enforce
	Cluster config.Cluster
	Policy  config.Policy
	Metas   map[string]rule.Meta // by ID, of the engine that runs now
	Docket  docket.Docket
	Cases   []docket.Case // those that the act answers
	Action  string
	Fresh   bool
	Judged  int // roots in the last complete inventory; 0: none yet

	Live        Live
	Owner       Owned
	Around      Around
	Notices     []Told
	Exempt      string // the exemption that covers a case; empty when none
	Freeze      Switch
	Permit      Switch
	Breaker     Switch
	Grant       Grant
	DryRun      DryRun
	Admission   error              // why the admission policies do not hold this account now
	Enforcement docket.Enforcement // the intent, with the prior state
}

// Live is the object as read just now.
type Live struct {
	Err             error
	UID             string
	ResourceVersion string
	Deleting        bool
	Replicas        int32
	LosesClaims     bool // a StatefulSet whose claims are deleted when it is scaled
	Suspended       bool
	Active          int32  // a Job's pods that run
	QueuedBy        string // who else suspends and resumes the Job; empty for nobody
	Labels          map[string]string
	Annotations     map[string]string
	Owners          []metav1.OwnerReference
	Finalizers      []string
	LoadBalancer    bool // an ingress that has been given an address
	Verdicts        []v1.Verdict
}

// Owned is the owner as the teams file, the Namespace object and the object name it just now.
type Owned struct {
	Err   error
	Owner v1.Owner
	// Owners are told of what single rules find, in the place of Owner.
	Owners map[string]v1.Owner
}

// Of returns the owner of what a rule finds.
func (o Owned) Of(rule string) v1.Owner {
	if who, ok := o.Owners[rule]; ok {
		return who
	}
	return o.Owner
}

// Around is what stands around the object.
type Around struct {
	Err         error    // registrations, budgets or autoscalers could not be read
	Serves      []string // webhooks, APIServices and conversions that this workload answers
	Disruption  []string // names of the PodDisruptionBudgets that match it
	Autoscalers []string // names of the autoscalers that target it
}

// Told is one notice as the ledger has it.
type Told struct {
	Key       string
	Confirmed bool
	Owner     string
	Platform  bool
	Cases     []string
	Unheard   []string       // cases that it does not confirm, whatever it does for the others
	Numbers   map[string]int // the warning's number, by case; only warnings
	// ActAt is the date of the act that it named, by case; only where it named one.
	ActAt map[string]time.Time
}

// Switch is a control that holds enforcement when On, or when it could not be read.
type Switch struct {
	Err  error
	On   bool
	Text string
	Word string // what of Text anybody may read, of a permit that is not given
}

// Grant is the budget's answer to this enforcement's claim.
type Grant struct {
	Err     error
	ID      string
	Expires time.Time
	Pending bool // the round has not been closed yet
	Over    string
}

// DryRun is the server's answer to the same write without effect.
type DryRun struct {
	Err     error
	Carried bool // the response held our value
}
