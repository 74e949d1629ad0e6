package controlplane

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/k8guard/k8guard/tools/daemon"
)

// Limits of waiting; generous, since a machine may be busy with other things.
const (
	readyWithin = 2 * time.Minute
	lookEvery   = 50 * time.Millisecond
	callWithin  = 5 * time.Second
)

// await calls done until it returns nil. It gives up when a process of the cluster that is
// meant to run has died, or when the time is up, and then says what it waited for last.
func (c *Cluster) await(ctx context.Context, what string, done func(context.Context) error) error {
	what = fmt.Sprintf("%s, see the logs in %s", what, c.at.in("logs"))
	return daemon.Await(ctx, daemon.Patience{Within: readyWithin, Every: lookEvery, Call: callWithin}, what, c.anyDied, done)
}

func (c *Cluster) anyDied() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, p := range c.processes {
		if err := p.Died(name, c.at.log(name)); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) awaitAPI(ctx context.Context) error {
	client, err := c.admin()
	if err != nil {
		return err
	}
	return c.await(ctx, "the API server", func(ctx context.Context) error {
		return client.Discovery().RESTClient().Get().AbsPath("/readyz").Do(ctx).Error()
	})
}

func (c *Cluster) awaitUse(ctx context.Context, o Options) error {
	client, err := c.admin()
	if err != nil {
		return err
	}
	nodes := max(0, o.Nodes)
	if o.Nodes == 0 {
		nodes = 1
	}
	if err := c.createNodes(ctx, client, nodes, o); err != nil {
		return err
	}
	err = c.await(ctx, "the default service account", func(ctx context.Context) error {
		_, err := client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
		return err
	})
	if err != nil || o.WithoutKwok {
		return err
	}
	return c.await(ctx, "the nodes to be ready", func(ctx context.Context) error {
		return nodesReady(ctx, client, nodes)
	})
}

// createNodes asks again when refused: right after its start the API server may still lack
// what it needs to admit a node.
func (c *Cluster) createNodes(ctx context.Context, client kubernetes.Interface, count int, o Options) error {
	server, err := client.Discovery().ServerVersion()
	if err != nil {
		return fmt.Errorf("ask for the server's version: %w", err)
	}
	for i := range count {
		node := fakeNode(fmt.Sprintf("node-%d", i), server.GitVersion, o.Images)
		err := c.await(ctx, "node "+node.Name+" to be created", func(ctx context.Context) error {
			_, err := client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{})
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// nodesReady wants each node Ready and free of the taint with which nodes are born.
func nodesReady(ctx context.Context, client kubernetes.Interface, want int) error {
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	ready := 0
	for _, node := range list.Items {
		if len(node.Spec.Taints) > 0 {
			continue
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				ready++
			}
		}
	}
	if ready < want {
		return fmt.Errorf("%d of %d nodes are ready", ready, want)
	}
	return nil
}
