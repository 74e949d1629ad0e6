package bus

// Hint names an object that somebody says is worth another look. It has no UID, so it is no
// request: only who watches the cluster can tell which object is meant, and whether there is one.
type Hint struct {
	// Cluster is its name; empty means whichever is asked.
	Cluster string
	// Kind is in lower case, as a first K8Guard called it; empty means any.
	Kind            string
	Namespace, Name string
}
