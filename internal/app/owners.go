package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/owner"
)

// chain is the resolver of owners that a configuration asks for; it reads the teams file.
func chain(c config.Config, rules []string) (owner.Chain, error) {
	teams, err := config.LoadTeams(c, rules, owner.Valid)
	return owner.Chain{Config: c.Owners, Teams: teams, Domains: c.Notify.Email.Domains}, err
}

// owners says who is told of a root, by what the watch holds of it and its namespace.
func (in *instance) owners(namespace, root *cluster.Record) (v1.Owner, map[string]v1.Owner) {
	if namespace == nil {
		return v1.Owner{}, nil
	}
	s := owner.Subject{Namespace: namespace.Name, Annotations: map[string]string{in.Config.Owners.ChatAnnotation: namespace.ChatAnnotation,
		in.Config.Owners.EmailAnnotation: namespace.OwnerAnnotation}}
	if namespace.Judgement != nil {
		s.Labels = namespace.Judgement.Labels
	}
	if root.Kind != entity.Namespace {
		s.Root, s.Workload = root.Root().String(), map[string]string{in.Config.Owners.WorkloadAnnotation: root.OwnerAnnotation}
	}
	return in.chain.Named(s)
}

// WhoOwns is the answer of GET /api/v1/whoowns?namespace=NAME[&kind=KIND&name=NAME].
type WhoOwns struct {
	Namespace string   `json:"namespace"`
	Root      string   `json:"root,omitempty"`
	Emails    []string `json:"emails"`
	From      string   `json:"from"`
	Platform  bool     `json:"platform"` // named by the platform: warnings to it count
	// Chats are the ids that are mentioned, by channel; a warning that mentions one counts if
	// Platform does.
	Chats map[string][]string `json:"chats,omitempty"`
	// Rules are told to others, by rule.
	Rules map[string]v1.Owner `json:"rules,omitempty"`
	// Chain is every place that was asked, in order; the first with addresses is taken.
	Chain []Asked `json:"chain"`
}

// Asked is one place where an owner may be named.
type Asked struct {
	From      string   `json:"from"`
	Emails    []string `json:"emails"`
	Counts    bool     `json:"counts"` // warnings to it count
	Taken     bool     `json:"taken"`
	Malformed []string `json:"malformed,omitempty"`
	Outside   []string `json:"outside,omitempty"` // of the domains that mail may go to
}

func (in *instance) whoOwns(w http.ResponseWriter, r *http.Request) {
	if in.watcher == nil {
		answer(w, http.StatusNotImplemented, map[string]string{"detail": "this report looks at no cluster; ask where k8guard run runs"})
		return
	}
	q := r.URL.Query()
	name := q.Get("namespace")
	ns, err := in.client.CoreV1().Namespaces().Get(r.Context(), name, metav1.GetOptions{})
	switch {
	case name == "" || apierrors.IsNotFound(err):
		answer(w, http.StatusNotFound, map[string]string{"detail": fmt.Sprintf("no namespace is called %q", name)})
		return
	case err != nil:
		answer(w, http.StatusBadGateway, map[string]string{"detail": err.Error()})
		return
	}
	s := owner.Subject{Namespace: ns.Name, Labels: ns.Labels, Annotations: ns.Annotations}
	if kind := q.Get("kind"); kind != "" {
		if known := kinds(); !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, kind) }) {
			answer(w, http.StatusBadRequest, map[string]string{"detail": fmt.Sprintf("no kind that is watched is called %q; %s", kind, config.Suggest(kind, known))})
			return
		}
		root := in.watched(name, kind, q.Get("name"))
		if root == nil {
			answer(w, http.StatusNotFound, map[string]string{"detail": fmt.Sprintf("no %s in %s is called %q", kind, name, q.Get("name"))})
			return
		}
		s.Root, s.Workload = root.Root().String(), map[string]string{in.Config.Owners.WorkloadAnnotation: root.OwnerAnnotation}
	}
	answer(w, http.StatusOK, in.whoOwnsOf(s))
}

// kinds are what an object that has an owner may be of.
func kinds() (names []string) {
	for _, k := range entity.Kinds() {
		if k != entity.Namespace {
			names = append(names, string(k))
		}
	}
	return names
}

// watched returns the record of an object by its kind, in any case, and name; nil if none.
func (in *instance) watched(namespace, kind, name string) *cluster.Record {
	var found *cluster.Record
	for _, k := range entity.Kinds() {
		if !strings.EqualFold(string(k), kind) || k == entity.Namespace {
			continue
		}
		in.watcher.Each(k, func(r *cluster.Record) {
			if r.Namespace == namespace && r.Name == name {
				found = r
			}
		})
	}
	return found
}

func (in *instance) whoOwnsOf(s owner.Subject) WhoOwns {
	named, rules := in.chain.Named(s)
	found := owner.Resolve(named, in.Config.Owners) // as an observation is treated
	out := WhoOwns{Namespace: s.Namespace, Root: s.Root, Emails: listed(found.Emails), From: found.From, Platform: found.Platform, Rules: rules}
	for _, channel := range in.action.Channels {
		if ids, _ := in.action.Reach(channel.Name(), found); len(ids) > 0 {
			if out.Chats == nil {
				out.Chats = map[string][]string{}
			}
			out.Chats[channel.Name()] = ids
		}
	}
	taken := false
	add := func(l owner.Link) {
		is := !taken && len(l.Emails) > 0
		taken = taken || is
		out.Chain = append(out.Chain, Asked{From: l.From, Emails: listed(l.Emails), Counts: l.Platform, Taken: is, Malformed: l.Malformed, Outside: l.Outside})
	}
	for _, l := range in.chain.Links(s, "") {
		add(l)
	}
	add(owner.Link{Owner: owner.Resolve(v1.Owner{}, in.Config.Owners)})
	return out
}

// listed makes of no addresses an empty list, which JSON does not write as null.
func listed(emails []string) []string { return append([]string{}, emails...) }
