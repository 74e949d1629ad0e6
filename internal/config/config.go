// Package config is what people may write to steer K8Guard, and nothing else.
//
// Purpose: defaults, then one strict YAML file, then environment, then flags; validated as
// a whole, with errors that name file, line, key and what to write instead.
//
// Concurrency: a [Config] is a value that is not changed after loading.
//
// Guarantees: an unknown key or a bad value is an error, never ignored; a [Secret] prints
// masked in every format; what [Load] returns without error is safe to run with.
//
// It will not: dial anything, or read a secret's file before it is needed.
package config

import "time"

// Config is the whole of it. Durations are Go durations ("24h", "90s").
type Config struct {
	Cluster Cluster `yaml:"cluster"`
	// Clusters are those that the target action answers for; empty means the one of cluster.
	Clusters   []ActingCluster `yaml:"clusters"`
	Data       Data            `yaml:"data"`
	Bus        Bus             `yaml:"bus"`
	Ledger     Ledger          `yaml:"ledger"`
	Cache      Cache           `yaml:"cache"`
	Discover   Discover        `yaml:"discover"`
	Rules      Rules           `yaml:"rules"`
	Policies   []Policy        `yaml:"policies"`
	Owners     Owners          `yaml:"owners"`
	Notify     Notify          `yaml:"notify"`
	Enforce    Enforce         `yaml:"enforce"`
	Exemptions []Exemption     `yaml:"exemptions"`
	Report     Report          `yaml:"report"`
	Log        Log             `yaml:"log"`
}

// ActingCluster is one cluster of several that one action answers for.
type ActingCluster struct {
	// Name is what discover calls the cluster, in cluster.name.
	Name string `yaml:"name"`
	// ActionKubeconfig is the account that enforces there.
	ActionKubeconfig string `yaml:"actionKubeconfig"`
	// Namespace is K8Guard's own in that cluster; empty means cluster.namespace.
	Namespace string `yaml:"namespace"`
	// Authority is as cluster.authority.
	Authority string `yaml:"authority"`
}

// The values of bus.kind.
const (
	BusMemory = "memory"
	BusKafka  = "kafka"
)

// The values of bus.kafka.sasl.mechanism, beside the empty one.
const (
	SASLPlain    = "PLAIN"
	SASLScram256 = "SCRAM-SHA-256"
	SASLScram512 = "SCRAM-SHA-512"
	SASLToken    = "OAUTHBEARER"
)

// Bus says how discover speaks to action.
type Bus struct {
	// Kind is memory (the target run, one process) or kafka (the targets discover and action).
	Kind  string `yaml:"kind"`
	Kafka Kafka  `yaml:"kafka"`
}

// Kafka is the bus between services; all of it is read with bus.kind: kafka only. See docs/operators/services.md.
type Kafka struct {
	// Brokers are some of them, as host:port; the others are found.
	Brokers []string `yaml:"brokers"`
	Prefix  string   `yaml:"prefix"` // of the topics' names
	// Group is action's consumer group; empty means PREFIX.action. Replicas that answer for the same clusters share it, others have one of their own.
	Group string `yaml:"group"`
	// Partitions of the observations, when the topic is made: so many replicas of action can share the work, at most 1024.
	Partitions int `yaml:"partitions"`
	// Replication is the number of copies of each topic, when it is made; 0 means the brokers' default.
	Replication int `yaml:"replication"`
	// Retention is how long messages are kept that nobody said again.
	Retention time.Duration `yaml:"retention"`
	// CreateTopics lets K8Guard make the topics; with false they must be there.
	CreateTopics bool `yaml:"createTopics"`
	// FirstTopic is where a first K8Guard puts its violations. Discover takes each for a hint to judge that object again, and
	// no more; empty means that nobody reads it. See docs/migrating.md.
	FirstTopic string    `yaml:"firstTopic"`
	TLS        ClientTLS `yaml:"tls"`
	SASL       SASL      `yaml:"sasl"`
}

// SASL is the login at Kafka's brokers.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER; empty means none, or the certificate's name.
	Mechanism string `yaml:"mechanism"`
	Username  string `yaml:"username"` // whose the password is
	Password  Secret `yaml:"password"` // printed as "***", which is refused when read
	// PasswordFile wins over Password.
	PasswordFile string `yaml:"passwordFile"`
	// TokenFile holds OAUTHBEARER's token; it is read for each connection.
	TokenFile string `yaml:"tokenFile"`
}

// ClientTLS is the encryption towards a server.
type ClientTLS struct {
	Enabled    bool   `yaml:"enabled"`    // without it, passwords and data go in clear
	CAFile     string `yaml:"caFile"`     // PEM; empty means the system's authorities
	CertFile   string `yaml:"certFile"`   // our certificate in PEM, where the server asks for one
	KeyFile    string `yaml:"keyFile"`    // its key in PEM
	ServerName string `yaml:"serverName"` // the name in the server's certificate; empty means its address
}

// Cluster says which cluster, and with which accounts.
type Cluster struct {
	// Name is how people call the cluster.
	Name string `yaml:"name"`
	// Kubeconfig is discover's account; empty means in-cluster credentials.
	Kubeconfig string `yaml:"kubeconfig"`
	// ActionKubeconfig is the account that enforces. It must be another user than
	// discover's; empty means that enforcement cannot start.
	ActionKubeconfig string `yaml:"actionKubeconfig"`
	// Authority is the SHA-256 of the certificate authority that an API server of a known
	// identity may have all of a sudden; see the message that asks for it.
	Authority string `yaml:"authority"`
	// Namespace is K8Guard's own namespace: its Lease and the permit live there.
	Namespace string `yaml:"namespace"`
}

// Data says where the embedded ledger lies, and how long it keeps what is over.
type Data struct {
	// Dir is a folder that K8Guard may write; it keeps the ledger and the socket there. Where XDG_STATE_HOME is not set, the
	// default is ~/.local/state/k8guard.
	Dir string `yaml:"dir"`
	// Retention is how long a root is kept after nothing of it is open, with its cases,
	// notices and history; 0s is for ever. What is open, or may be undone, always stays.
	Retention time.Duration `yaml:"retention"`
}

// The values of ledger.kind.
const (
	LedgerSQLite    = "sqlite"
	LedgerCassandra = "cassandra"
)

// Ledger says which store keeps cases, notices and history.
type Ledger struct {
	// Kind is sqlite (a file in data.dir, for one process) or cassandra (for many).
	Kind      string    `yaml:"kind"`
	Cassandra Cassandra `yaml:"cassandra"`
}

// Cassandra is the ledger of many replicas; all of it is read with ledger.kind: cassandra only. See docs/operators/cassandra.md.
type Cassandra struct {
	// Hosts are some nodes of the local data center, as host or host:port; the others are found.
	Hosts    []string `yaml:"hosts"`
	Keyspace string   `yaml:"keyspace"` // lower-case letters, digits and _; one for each ledger
	// LocalDC is the data center that is read and written. All processes of one ledger name the same.
	LocalDC string `yaml:"localDC"`
	// Replication is the number of copies that a new keyspace gets in LocalDC, 1 to 3.
	Replication int    `yaml:"replication"`
	Username    string `yaml:"username"` // empty means no login
	Password    Secret `yaml:"password"` // printed as "***", which is refused when read
	// PasswordFile is read at each connection; it wins over Password.
	PasswordFile string    `yaml:"passwordFile"`
	TLS          ClientTLS `yaml:"tls"`
	// Timeout is how long one answer may take. It must be above the servers' own write and contention timeouts.
	Timeout time.Duration `yaml:"timeout"`
	// CreateSchema lets K8Guard make the keyspace and its tables; with false, run what "k8guard ledger schema" prints.
	CreateSchema bool `yaml:"createSchema"`
}

// The values of cache.kind.
const (
	CacheMemory    = "memory"
	CacheMemcached = "memcached"
)

// Cache says where discover keeps the sizes of images that a node reported once. It may be lost at any time.
type Cache struct {
	// Kind is memory (of this process) or memcached (for all replicas, and after a restart).
	Kind string `yaml:"kind"`
	// Expiry is how long a size is kept that no node reports any more, 1m to 720h.
	Expiry    time.Duration `yaml:"expiry"`
	Memcached Memcached     `yaml:"memcached"`
}

// Memcached is the cache of many replicas; all of it is read with cache.kind: memcached only. See docs/operators/services.md.
type Memcached struct {
	// Servers are all of them, as host or host:port; each process lists the same.
	Servers []string `yaml:"servers"`
	// Username is of memcached's own login (its option -Y); empty means none.
	Username string `yaml:"username"`
	Password Secret `yaml:"password"` // printed as "***", which is refused when read
	// PasswordFile is read at each connection; it wins over Password.
	PasswordFile string    `yaml:"passwordFile"`
	TLS          ClientTLS `yaml:"tls"`
	// Timeout is how long an answer may take, and a connection; then the cache counts as empty. 10ms to 5s.
	Timeout time.Duration `yaml:"timeout"`
}

// Discover steers the watch.
type Discover struct {
	// Resync is how often everything is said again (inventories). Two of them without a
	// sighting make a docket stale.
	Resync time.Duration `yaml:"resync"`
	// IgnoreNamespaces are not judged at all. Exact names.
	IgnoreNamespaces []string `yaml:"ignoreNamespaces"`
}

// Rules are the rules' parameters; a rule is on unless it is disabled.
type Rules struct {
	// Disabled are the ids of rules that are not judged by.
	Disabled []string `yaml:"disabled"`
	// RequiredAnnotations are keys of annotations that objects must bear, each for all
	// ("team/contact") or as namespace:entityType:entityName:key, where * matches all and a
	// leading ! negates a field.
	RequiredAnnotations []string `yaml:"REQUIRED_ANNOTATIONS"`
	// RequiredLabels are keys of labels, written like REQUIRED_ANNOTATIONS.
	RequiredLabels []string `yaml:"REQUIRED_LABELS"`
	// RequiredEntities are namespace:entityType:*:name: in each namespace that the first field
	// selects there must be a namespace, deployment, daemonset, pod or resourcequota of this
	// name (* is any). Of a namespace, the first field is *.
	RequiredEntities []string     `yaml:"REQUIRED_ENTITIES"`
	ImageSize        ImageSize    `yaml:"IMAGE_SIZE"`
	ImageRepo        ImageRepo    `yaml:"IMAGE_REPO"`
	IngressHosts     IngressHosts `yaml:"INGRESS_HOST_INVALID"`
	Privileged       Privileged   `yaml:"PRIVILEGED"`
	Capabilities     Capabilities `yaml:"CAPABILITIES"`
	HostVolumes      HostVolumes  `yaml:"HOST_VOLUMES"`
}

// ImageRepo parametrises IMAGE_REPO. With no approved repository the rule says unknown.
type ImageRepo struct {
	// Approved are registries or repositories, matched by whole path segments.
	Approved []string `yaml:"approved"`
}

// ImageSize parametrises IMAGE_SIZE.
type ImageSize struct {
	// Limit is the largest size that an image may have, as a quantity (5G, 800Mi).
	Limit string `yaml:"limit"`
}

// IngressHosts parametrises INGRESS_HOST_INVALID.
type IngressHosts struct {
	// ApprovedSuffixes are domains, matched on label borders; empty approves every suffix.
	ApprovedSuffixes []string `yaml:"approvedSuffixes"`
	// MustContain are texts that every host must hold, each of them.
	MustContain []string `yaml:"mustContain"`
	// MustNotContain are texts that no host may hold.
	MustNotContain []string `yaml:"mustNotContain"`
}

// Privileged parametrises PRIVILEGED.
type Privileged struct {
	// Root is what a container's user counts for: off (not looked at), explicit (user 0 is a
	// violation, an unset user is unknown) or must-prove (an unset user is a violation too).
	Root string `yaml:"root"`
}

// Capabilities parametrises CAPABILITIES.
type Capabilities struct {
	// Allowed may be added; in any case, with or without CAP_.
	Allowed []string `yaml:"allowed"`
}

// HostVolumes parametrises HOST_VOLUMES.
type HostVolumes struct {
	// Allowed are folders of the node that may be mounted, with all below them.
	Allowed []string `yaml:"allowed"`
	// AllowedReadOnly are folders that may be mounted if every mount is read-only.
	AllowedReadOnly []string `yaml:"allowedReadOnly"`
}

// Policy says what follows from a violation. The first policy that matches counts; after
// the last comes a built-in one that warns and never acts.
type Policy struct {
	// Name is what the history calls the policy; each has its own.
	Name   string `yaml:"name"`
	Match  Match  `yaml:"match"`
	Ladder Ladder `yaml:"ladder"`
	// Enforce allows the hard action at the ladder's end. It takes effect only with
	// enforce.mode: enforce.
	Enforce bool `yaml:"enforce"`
}

// Match selects cases; an empty list matches all. Exact names.
type Match struct {
	Rules      []string `yaml:"rules"`      // rule ids, see docs/generated/rules.md
	Namespaces []string `yaml:"namespaces"` // the root's namespace
	Kinds      []string `yaml:"kinds"`      // such as Deployment, see docs/generated/rules.md
	Severities []string `yaml:"severities"` // critical, high, medium, low
}

// Ladder is the ordered steps: after Standing a case opens and the first warning goes out;
// each next one Wait after the last was confirmed; Wait after the last of Warnings the act.
type Ladder struct {
	// Standing is how long a violation must last before a case opens.
	Standing time.Duration `yaml:"standing"`
	// Warnings is how many confirmed warnings come before the act.
	Warnings int `yaml:"warnings"`
	// Wait is the time between two warnings.
	Wait time.Duration `yaml:"wait"`
	// LastWait is the wait between the last warning and the act; 0 means Wait.
	LastWait time.Duration `yaml:"lastWait"`
	// MaxTries bounds all warnings of a case, confirmed or not; 0 means Warnings + 2.
	MaxTries int `yaml:"maxTries"`
	// AckPauses is how long an acknowledgement may pause the ladder at most, from the first
	// one on; 0 means that it never does.
	AckPauses time.Duration `yaml:"ackPauses"`
}

// Owners says how an owner is found.
type Owners struct {
	// EmailAnnotation on a Namespace names its owners' addresses, comma-separated.
	EmailAnnotation string `yaml:"emailAnnotation"`
	// ChatAnnotation on a Namespace names its owners' names in HipChat, comma-separated; they are
	// tagged, which counts for nothing. Empty means that it is not read.
	ChatAnnotation string `yaml:"chatAnnotation"`
	// TeamsFile names teams and what they own, in YAML; its teams come before every
	// annotation. Empty means none. See docs/owners.md.
	TeamsFile string `yaml:"teamsFile"`
	// WorkloadAnnotation on a workload names who is told where the platform names nobody;
	// empty means that it is not read. A tenant writes it.
	WorkloadAnnotation string `yaml:"workloadAnnotation"`
	// WorkloadCounts lets warnings to the WorkloadAnnotation count before an act, as those to
	// an owner whom the platform names.
	WorkloadCounts bool `yaml:"workloadCounts"`
	// Fallback receives what has no owner, and is asked when a case needs a human. It never
	// counts as a confirmation.
	Fallback []string `yaml:"fallback"`
}

// Notify steers the channels.
type Notify struct {
	// Gather is how long a digest waits for more cases of its owner.
	Gather time.Duration `yaml:"gather"`
	// Gap is the least time between two digests to one owner.
	Gap          time.Duration `yaml:"gap"`
	Email        Email         `yaml:"email"`
	Slack        Slack         `yaml:"slack"`
	HipChat      HipChat       `yaml:"hipchat"`
	Webhook      []Webhook     `yaml:"webhook"` // any number, each with a name of its own
	Alertmanager Alertmanager  `yaml:"alertmanager"`
}

// Email is the SMTP channel; it is off while Host is empty.
type Email struct {
	Host     string `yaml:"host"`     // the mail server; empty means no mail
	Port     int    `yaml:"port"`     // 587 for starttls, 465 for tls
	TLS      string `yaml:"tls"`      // starttls, tls or none; none refuses a password
	CAFile   string `yaml:"caFile"`   // PEM; empty means the system's authorities
	Username string `yaml:"username"` // empty means no login
	Password Secret `yaml:"password"` // printed as "***", which is refused when read
	// PasswordFile is read at each connection; it wins over Password.
	PasswordFile string `yaml:"passwordFile"`
	// From is the sender's address; required when Host is set.
	From string `yaml:"from"`
	// Domains are the only recipient domains; required when Host is set.
	Domains []string `yaml:"domains"`
}

// Slack is the Slack channel; it is off while Channel is empty. See docs/operators/chat.md.
type Slack struct {
	// Channel is the id of the channel, as C0123ABCD.
	Channel string `yaml:"channel"`
	Token   Secret `yaml:"token"` // of a bot that may chat:write there, and channels:read; printed as "***", which is refused when read
	// TokenFile is read for each notice; it wins over Token.
	TokenFile string `yaml:"tokenFile"`
	// BaseURL is where its API is; https, or http on this host.
	BaseURL string `yaml:"baseURL"`
	CAFile  string `yaml:"caFile"` // PEM; empty means the system's authorities
	// Users say which owner is who there: they are mentioned, and a notice to them counts.
	Users []ChatUser `yaml:"users"`
}

// ChatUser is an owner's name in a chat.
type ChatUser struct {
	Address string `yaml:"address"` // the owner's, as the annotation or the teams file names it
	// ID is the user's own: U0123ABCD in Slack (or S0123ABCD of a group), the mention name in HipChat.
	ID string `yaml:"id"`
}

// HipChat is a room of a server that speaks HipChat's API v2; it is off while BaseURL is empty. See docs/operators/chat.md.
type HipChat struct {
	BaseURL string `yaml:"baseURL"` // the server; https, or http on this host
	Room    string `yaml:"room"`    // the room's id or name
	Token   Secret `yaml:"token"`   // may send notifications; printed as "***", which is refused when read
	// TokenFile is read for each notice; it wins over Token.
	TokenFile string `yaml:"tokenFile"`
	CAFile    string `yaml:"caFile"` // PEM; empty means the system's authorities
	// TagOwners mentions the ids that owners.chatAnnotation of the Namespace names; they count for nothing.
	TagOwners bool `yaml:"tagOwners"`
	// Users say which owner is who there: they are mentioned, and a notice to them counts.
	Users []ChatUser `yaml:"users"`
}

// Webhook is an address that gets each notice as a signed CloudEvent. See docs/operators/chat.md.
type Webhook struct {
	Name    string `yaml:"name"`    // lower-case letters, digits and -; the ledger calls the channel webhook/NAME
	URL     Secret `yaml:"url"`     // https, or http on this host; may hold a token, so it is printed as "***"
	URLFile string `yaml:"urlFile"` // is read for each notice; it wins over URL
	Key     Secret `yaml:"key"`     // signs each notice: 24 bytes or more, or whsec_ and base64; printed as "***"
	KeyFile string `yaml:"keyFile"` // is read for each notice; it wins over Key
	CAFile  string `yaml:"caFile"`  // PEM; empty means the system's authorities
}

// Alertmanager gets each case as an alert (API v2); it is off while URL is empty. See docs/operators/chat.md.
type Alertmanager struct {
	URL   string `yaml:"url"`   // its address; https, or http where no token goes with it
	Token Secret `yaml:"token"` // bearer token, where a proxy asks for one; printed as "***", which is refused when read
	// TokenFile is read for each notice; it wins over Token.
	TokenFile string `yaml:"tokenFile"`
	CAFile    string `yaml:"caFile"` // PEM; empty means the system's authorities
}

// The modes of enforcement.
const (
	ModeDryRun  = "dry-run" // judge and report, tell nobody, do nothing
	ModeSafe    = "safe"    // tell, never act; the default
	ModeEnforce = "enforce" // tell and act, through the gate
)

// Enforce steers the gate.
type Enforce struct {
	// Mode is dry-run (judge and report, tell nobody), safe (tell, never act) or enforce
	// (tell and act, through the gate).
	Mode string `yaml:"mode"`
	// MinimumAge is how old a case must be before it may be acted on.
	MinimumAge time.Duration `yaml:"minimumAge"`
	// CoolOff is how long the table shows an undone root as cooling off. K8Guard does not act on it
	// again after that either: as long as the object lives, a person has decided.
	CoolOff time.Duration `yaml:"coolOff"`
	Budget  Budget        `yaml:"budget"`
	Breaker Breaker       `yaml:"breaker"`
	Protect Protect       `yaml:"protect"`
	// Permit is the name of the ConfigMap that people write to allow enforcement.
	Permit string `yaml:"permit"`
}

// Budget bounds enforcement. Absolute and percent: the lower wins.
type Budget struct {
	Round        time.Duration `yaml:"round"`              // how often claims are granted, all or none
	PerHour      int           `yaml:"perHour"`            // acts in an hour, in all
	PerDay       int           `yaml:"perDay"`             // acts in 24 hours, in all
	PerNamespace int           `yaml:"perNamespacePerDay"` // acts in 24 hours in one namespace
	PerOwner     int           `yaml:"perOwnerPerDay"`     // acts in 24 hours on one owner
	PerRule      int           `yaml:"perRulePerDay"`      // acts in 24 hours for one rule
	// Percent of the judged roots that may be acted on in an hour; Floor is the least.
	Percent float64 `yaml:"percent"`
	Floor   int     `yaml:"floor"` // what Percent allows at least
}

// Breaker says what opens the circuit breaker.
type Breaker struct {
	UndosPerHour int           `yaml:"undosPerHour"` // undos by people in an hour
	ClockSkew    time.Duration `yaml:"clockSkew"`    // between our clock and the API server's
	Errors       int           `yaml:"errors"`       // API or ledger errors in a row at the gate
	// SharePoints is how many percentage points the share of violating roots may rise within
	// an hour, by ten roots at least; 0 does not look.
	SharePoints int `yaml:"sharePoints"`
	// Stale is how long the audit may be incomplete or a watch silent; 0 does not look.
	Stale time.Duration `yaml:"stale"`
}

// Protect adds to what is never acted on; it cannot take away.
type Protect struct {
	// Namespaces that are never acted on. Exact names.
	Namespaces []string `yaml:"namespaces"`
	// Workloads that are never acted on, as "namespace/name".
	Workloads []string `yaml:"workloads"`
}

// Exemption is a platform team's permission. Empty Match lists match all; Reason and
// Expires are required.
type Exemption struct {
	Match   Match     `yaml:"match"`
	Name    string    `yaml:"name"`    // the root's name; empty matches all
	Source  string    `yaml:"source"`  // the case's source; empty matches all
	Reason  string    `yaml:"reason"`  // why this is permitted, for the record
	Expires time.Time `yaml:"expires"` // RFC 3339
}

// Report is the pages and the API.
type Report struct {
	// Listen is the address of the pages and /metrics. Beyond loopback it wants login, tls and url.
	Listen string `yaml:"listen"`
	// Socket is where commands talk to a running K8Guard; empty means data.dir/k8guard.sock.
	Socket string `yaml:"socket"`
	// URL is how people reach the pages, for links in notices; its name is the one beside localhost that is answered.
	URL string `yaml:"url"`
	// Login is how readers say who they are: none, or token. With token the API server says who a token
	// belongs to and what they may see; that wants deploy/rbac-report.yaml. The socket asks nobody.
	Login string `yaml:"login"`
	TLS   TLS    `yaml:"tls"`
	// OpenMetrics leaves /metrics and all of /readyz open to everyone, in spite of a login. They tell names of namespaces.
	// /healthz, and whether /readyz is ok, are open in any case.
	OpenMetrics bool `yaml:"openMetrics"`
}

// TLS is the certificate of the pages.
type TLS struct {
	// Mode is files, or off: then nothing is encrypted, and a proxy in front has to do it. Empty means files.
	Mode string `yaml:"mode"`
	// CertFile holds the certificate with its chain, in PEM; it is read again when it changes.
	CertFile string `yaml:"certFile"`
	// KeyFile holds its key, in PEM.
	KeyFile string `yaml:"keyFile"`
}

// Log steers logging.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text, json
}
