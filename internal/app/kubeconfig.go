package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/k8guard/k8guard/internal/config"
)

// account is one of K8Guard's: what the API server's log and our metrics call it, and where the
// configuration says how it logs in. An empty path means the account of the pod that we run in.
type account struct{ name, key, path string }

func discoverOf(c config.Config) account {
	return account{"discover", "cluster.kubeconfig", c.Cluster.Kubeconfig}
}

// reportOf is who asks about readers: it logs in as discover does.
func reportOf(c config.Config) account {
	return account{"report", "cluster.kubeconfig", c.Cluster.Kubeconfig}
}

// actionOf is who acts on the cluster that c is about; see [acting].
func actionOf(c config.Config) account {
	a := account{"action", "cluster.actionKubeconfig", c.Cluster.ActionKubeconfig}
	if i := slices.IndexFunc(c.Clusters, func(one config.ActingCluster) bool { return one.Name == c.Cluster.Name }); i >= 0 {
		a.key = fmt.Sprintf("clusters[%d].actionKubeconfig", i)
	}
	return a
}

// maker is the command that prints a kubeconfig for it.
func (a account) maker() string {
	if a.name == "action" {
		return "sh deploy/kubeconfig.sh k8guard-action"
	}
	return "sh deploy/kubeconfig.sh k8guard-discover"
}

// rights is the file that grants what it needs.
func (a account) rights() string { return "deploy/rbac-" + a.name + ".yaml" }

// rest reads how the account logs in. Its error names the key and the file, and what to do.
func (a account) rest() (*rest.Config, error) {
	if a.path == "" {
		return podConfig()
	}
	data, err := os.ReadFile(a.path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w; write the path of a kubeconfig; %s prints one", a.key, err, a.maker())
	case len(bytes.TrimSpace(data)) == 0:
		return nil, fmt.Errorf("%s: %s is empty; make it with %s", a.key, a.path, a.maker())
	}
	if _, err := clientcmd.Load(data); err != nil {
		return nil, a.unusable(err)
	}
	// Not as client-go does it by default: where the file names no cluster it would take the pod's
	// account instead, which is another one.
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: a.path}
	file, err := rules.Load()
	if err != nil {
		return nil, a.unusable(err)
	}
	c, err := clientcmd.NewNonInteractiveClientConfig(*file, "", &clientcmd.ConfigOverrides{}, rules).ClientConfig()
	if clientcmd.IsEmptyConfig(err) { // whose text has advice for kubectl
		err = errors.New("it names no cluster")
	}
	if err != nil {
		return nil, a.unusable(err)
	}
	return c, nil
}

func (a account) unusable(err error) error {
	if strings.Contains(err.Error(), "proxy-url") { // whose text may hold a password
		err = errors.New("its proxy-url is none")
	}
	return fmt.Errorf("%s: %s is no kubeconfig that can be used: %w; make it anew with %s", a.key, a.path, err, a.maker())
}

// usable says what is wrong with a kubeconfig, and with the files that it names; but for a pod's
// token, which is nowhere else.
func (a account) usable() error {
	if a.path == "" {
		return nil
	}
	c, err := a.rest()
	if missing := (*fs.PathError)(nil); errors.As(err, &missing) && missing.Path == podToken {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := rest.TLSConfigFor(c); err != nil {
		return a.unusable(err)
	}
	return nil
}

func podConfig() (*rest.Config, error) {
	c, err := rest.InClusterConfig()
	switch {
	case errors.Is(err, rest.ErrNotInCluster):
		return nil, errors.New("no cluster is configured, and this is no pod of one: set cluster.kubeconfig to a kubeconfig's path; " +
			"sh deploy/kubeconfig.sh k8guard-discover prints one")
	case err != nil:
		return nil, fmt.Errorf("reading the account of the pod: %w", err)
	}
	return c, nil
}
