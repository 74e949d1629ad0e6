package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/internal/entity"
)

// Where says which cluster a look is at, as kubectl's flags do.
type Where struct {
	// Paths are the kubeconfigs that are merged; those that are missing are left out. With
	// none, the credentials of the pod that we run in.
	Paths []string
	// Kubeconfig is one that must be there, instead.
	Kubeconfig string
	// Context is the kubeconfig's; empty means its current one.
	Context string
	// Namespace bounds the look to one; empty means all.
	Namespace string
}

// Look reads a cluster once, the judged kinds and the related ones, with the caller's own account, and writes nothing.
func Look(ctx context.Context, w Where, related []entity.Kind) (cluster.Snapshot, error) {
	rules := &clientcmd.ClientConfigLoadingRules{ExplicitPath: w.Kubeconfig, Precedence: w.Paths}
	config := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: w.Context})
	rest, err := config.ClientConfig()
	if clientcmd.IsEmptyConfig(err) { // whose text has advice for kubectl
		err = errors.New("no kubeconfig names one")
	}
	if err != nil {
		return cluster.Snapshot{}, fmt.Errorf("finding the cluster: %w; name a kubeconfig with --kubeconfig, or a context of it with --context", err)
	}
	rest.QPS, rest.Burst, rest.Timeout = 50, 100, time.Minute
	client, err := cluster.NewClient(rest)
	if err != nil {
		return cluster.Snapshot{}, err
	}
	_, err = client.Discovery().ServerVersion()
	if apierrors.IsUnauthorized(err) {
		return cluster.Snapshot{}, fmt.Errorf("the cluster at %s does not know your token or certificate (401); log in anew, as for kubectl: %w", rest.Host, err)
	}
	if err != nil {
		return cluster.Snapshot{}, fmt.Errorf("reaching the cluster at %s: %w", rest.Host, err)
	}
	return cluster.Look(ctx, client, w.Namespace, related)
}
