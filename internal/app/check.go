package app

import (
	"errors"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/all"
)

// Check says everything that would keep a start, or a mail, from going well and can be seen
// without a cluster or a mail server: it makes the rules and the channels.
func Check(c config.Config) error {
	err := judgeable(c)
	files := kubeconfigs(c)
	if files == nil && !eachItsOwn(c) {
		files = apart(c.Cluster.Kubeconfig, c.Cluster.ActionKubeconfig)
	}
	err = errors.Join(err, files)
	all, wrong := senders(c, noThreads{}, time.Now)
	err = errors.Join(err, wrong)
	for _, s := range all {
		err = errors.Join(err, s.Ready()) // as a notice would, which comes much later
	}
	return err
}

// Doubts is what may keep a start from going well, and cannot be known here: a file without a
// cluster is right for a pod.
func Doubts(c config.Config) []config.Warning {
	if c.Cluster.Kubeconfig != "" || len(c.Clusters) > 0 { // the latter is action's own file
		return nil
	}
	if _, err := podConfig(); err == nil {
		return nil
	}
	return []config.Warning{{Key: "cluster.kubeconfig", Text: "is not set: k8guard run and k8guard discover start in a pod of the cluster only; " +
		"elsewhere write the path of what sh deploy/kubeconfig.sh k8guard-discover prints"}}
}

// eachItsOwn says that discover and action are pods of their own, and this may be either: what
// is the pod's account is not the other's.
func eachItsOwn(c config.Config) bool {
	return c.Bus.Kind == config.BusKafka && c.Cluster.Kubeconfig == ""
}

// startable says what would surely keep an instance from being wired, as far as the
// configuration and its files tell.
func startable(c config.Config) error {
	if err := judgeable(c); err != nil {
		return err
	}
	if _, err := discoverOf(c).rest(); err != nil {
		return err
	}
	if c.Cluster.ActionKubeconfig != "" {
		if _, err := newActionClients(actionOf(c), nil); err != nil {
			return err
		}
	}
	_, err := senders(c, noThreads{}, time.Now)
	return err
}

// judgeable makes the rules, and the chain of owners.
func judgeable(c config.Config) error {
	e, err := engine(c)
	if err == nil {
		_, err = chain(c, ruleIDs(e))
	}
	return err
}

// kubeconfigs says what is wrong with those that are named; whoever needs one that is not
// has the pod's account, perhaps.
func kubeconfigs(c config.Config) error {
	err := errors.Join(discoverOf(c).usable(), account{"action", "cluster.actionKubeconfig", c.Cluster.ActionKubeconfig}.usable())
	if len(c.Clusters) == 0 {
		return err
	}
	for _, one := range acting(c) {
		err = errors.Join(err, actionOf(one).usable())
	}
	return err
}

func engine(c config.Config) (*rule.Engine, error) {
	rules, err := all.Rules(c.Rules, c.Owners)
	if err != nil {
		return nil, err
	}
	return rule.NewEngine(rules...)
}

// ruleIDs are the rules that a team may own: those that are judged by.
func ruleIDs(e *rule.Engine) []string {
	var ids []string
	for _, m := range e.Rules() {
		ids = append(ids, m.ID)
	}
	return ids
}
