package controlplane

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	authv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"
)

const (
	tokenSeconds = 24 * 60 * 60
	applyWithin  = 30 * time.Second
)

// Dir is the absolute path of the state folder.
func (c *Cluster) Dir() string { return c.at.dir }

// Pids of the programs by their names, as they were started last.
func (c *Cluster) Pids() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.state.Pids)
}

// URL of the API server, without a slash at its end.
func (c *Cluster) URL() string { return "https://" + local(c.state.Ports.API) }

// Kubeconfig is the path of the administrator's, who may do everything.
func (c *Cluster) Kubeconfig() string { return c.at.kubeconfig("admin") }

// AuditLog is the path of the log that package audit reads.
func (c *Cluster) AuditLog() string { return c.at.audit() }

// KubectlPath is the path of the kubectl of the cluster's version.
func (c *Cluster) KubectlPath() string { return filepath.Join(c.state.Programs, kubectl) }

// CA is the certificate, PEM, that the API server's is signed by.
func (c *Cluster) CA() ([]byte, error) {
	text, err := os.ReadFile(c.at.pki("ca.crt"))
	if err != nil {
		return nil, fmt.Errorf("read the authority's certificate: %w", err)
	}
	return text, nil
}

// RESTConfig is the administrator's configuration for client-go.
func (c *Cluster) RESTConfig() (*rest.Config, error) {
	config, err := clientcmd.BuildConfigFromFlags("", c.Kubeconfig())
	if err != nil {
		return nil, fmt.Errorf("read the administrator's kubeconfig: %w", err)
	}
	config.QPS = -1 // the server has limits of its own
	return config, nil
}

func (c *Cluster) admin() (*kubernetes.Clientset, error) {
	config, err := c.RESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make the administrator's client: %w", err)
	}
	return client, nil
}

// AccountKubeconfig writes, with mode 0600, a kubeconfig of a service account that exists,
// with a token for 24 hours.
func (c *Cluster) AccountKubeconfig(ctx context.Context, namespace, serviceAccount, path string) error {
	client, err := c.admin()
	if err != nil {
		return err
	}
	seconds := int64(tokenSeconds)
	request := &authv1.TokenRequest{Spec: authv1.TokenRequestSpec{ExpirationSeconds: &seconds}}
	token, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, serviceAccount, request, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("ask for a token of %s/%s, which must exist: %w", namespace, serviceAccount, err)
	}
	ca, err := c.CA()
	if err != nil {
		return err
	}
	return writeKubeconfig(path, c.URL(), ca, namespace, &api.AuthInfo{Token: token.Status.Token})
}

// Kubectl runs kubectl as the administrator and returns what it printed on its standard
// output. The error carries what it printed on the other. Give --kubeconfig to be another.
func (c *Cluster) Kubectl(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, c.KubectlPath(), append([]string{"--cache-dir=" + c.at.in("kubectl-cache")}, args...)...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+c.Kubeconfig())
	var out, problem strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("kubectl %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(problem.String()))
	}
	return out.String(), nil
}

// Apply applies manifests as the administrator, within 30 seconds. The error carries all
// that kubectl printed.
func (c *Cluster) Apply(ctx context.Context, files ...string) error {
	ctx, cancel := context.WithTimeout(ctx, applyWithin)
	defer cancel()
	args := []string{"apply"}
	for _, file := range files {
		args = append(args, "-f", file)
	}
	if out, err := c.Kubectl(ctx, args...); err != nil {
		return fmt.Errorf("%w\n%s", err, strings.TrimSpace(out))
	}
	return nil
}
