package controlplane

import (
	_ "embed"
	"fmt"
	"os"
	"time"

	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/k8guard/k8guard/tools/daemon"
	"github.com/k8guard/k8guard/tools/devpki"
)

//go:embed audit-policy.yaml
var auditPolicy []byte

//go:embed kwok.yaml
var kwokStages []byte

// prepare writes all that the programs read: certificates, keys, kubeconfigs, the policy.
func (c *Cluster) prepare() error {
	if err := c.at.make(); err != nil {
		return fmt.Errorf("lay out the state folder: %w", err)
	}
	ports, err := daemon.FreePorts(4)
	if err != nil {
		return err
	}
	c.state.Ports = ports4{API: ports[0], Etcd: ports[1], EtcdPeer: ports[2], Kwok: ports[3]}
	if err := os.WriteFile(c.at.policy(), auditPolicy, 0o600); err != nil {
		return fmt.Errorf("write the audit policy: %w", err)
	}
	if err := os.WriteFile(c.at.stages(), kwokStages, 0o600); err != nil {
		return fmt.Errorf("write kwok's stages: %w", err)
	}
	ca, err := devpki.New(time.Now)
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.at.pki("ca.crt"), ca.PEM(), 0o600); err != nil {
		return fmt.Errorf("write the authority's certificate: %w", err)
	}
	if err := c.writeKeys(ca); err != nil {
		return err
	}
	return c.writeKubeconfigs(ca)
}

func (c *Cluster) writeKeys(ca *devpki.Authority) error {
	for _, name := range []string{etcd, apiServer} {
		p, err := ca.Server(name, "10.0.0.1", "kubernetes.default.svc")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.at.pki(name+".crt"), p.Cert, 0o600); err != nil {
			return fmt.Errorf("write a certificate: %w", err)
		}
		if err := os.WriteFile(c.at.pki(name+".key"), p.Key, 0o600); err != nil {
			return fmt.Errorf("write a key: %w", err)
		}
	}
	key, err := devpki.SigningKey()
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.at.pki("service-account.key"), key, 0o600); err != nil {
		return fmt.Errorf("write the service accounts' key: %w", err)
	}
	return nil
}

func (c *Cluster) writeKubeconfigs(ca *devpki.Authority) error {
	users := []struct{ file, name, group string }{
		{"admin", "admin", "system:masters"},
		{controllerManager, "system:kube-controller-manager", ""},
		{scheduler, "system:kube-scheduler", ""},
		{kwok, "kwok", "system:masters"}, // it is the kubelet of every node at once
	}
	for _, u := range users {
		var groups []string
		if u.group != "" {
			groups = append(groups, u.group)
		}
		p, err := ca.Client(u.name, groups...)
		if err != nil {
			return err
		}
		user := &api.AuthInfo{ClientCertificateData: p.Cert, ClientKeyData: p.Key}
		if err := writeKubeconfig(c.at.kubeconfig(u.file), c.URL(), ca.PEM(), "", user); err != nil {
			return err
		}
	}
	return nil
}
