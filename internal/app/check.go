package app

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/rule/all"
)

// Check says everything that would keep a start, or a mail, from going well and can be seen
// without a cluster or a mail server: it makes the rules and the channels.
func Check(c config.Config) error {
	err := judgeable(c)
	files := errors.Join(readable("cluster.kubeconfig", c.Cluster.Kubeconfig), readable("cluster.actionKubeconfig", c.Cluster.ActionKubeconfig))
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
	if _, err := restConfig(c.Cluster.Kubeconfig, discoverAccount, nil); err != nil {
		return err
	}
	if c.Cluster.ActionKubeconfig != "" {
		if _, err := newActionClients(c.Cluster.ActionKubeconfig, nil); err != nil {
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

// readable opens a file that is only read at the start.
func readable(key, path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	return f.Close()
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
