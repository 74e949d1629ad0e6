package controlplane

import (
	"fmt"
	"net"
	"strconv"
)

// arguments returns the command line of a program, without its name. Each names the state
// folder, by which a running process is known to be ours.
func (c *Cluster) arguments(name string) []string {
	switch name {
	case etcd:
		return c.etcdArguments()
	case apiServer:
		return c.apiServerArguments()
	case controllerManager:
		return []string{
			"--kubeconfig=" + c.at.kubeconfig(name), "--leader-elect=false", "--secure-port=0",
			"--use-service-account-credentials=true", "--root-ca-file=" + c.at.pki("ca.crt"),
			"--service-account-private-key-file=" + c.at.pki("service-account.key"),
		}
	case scheduler:
		return []string{"--kubeconfig=" + c.at.kubeconfig(name), "--leader-elect=false", "--secure-port=0"}
	default:
		return []string{
			"--kubeconfig=" + c.at.kubeconfig(kwok), "--config=" + c.at.stages(), "--manage-all-nodes=true",
			"--server-address=" + local(c.state.Ports.Kwok), "--node-ip=127.0.0.1", "--cidr=10.64.0.0/12",
			"--node-lease-duration-seconds=40",
		}
	}
}

func (c *Cluster) etcdArguments() []string {
	client, peer := "https://"+local(c.state.Ports.Etcd), "https://"+local(c.state.Ports.EtcdPeer)
	ca, cert, key := c.at.pki("ca.crt"), c.at.pki("etcd.crt"), c.at.pki("etcd.key")
	return []string{
		"--name=default", "--data-dir=" + c.at.in("etcd"), "--initial-cluster=default=" + peer,
		"--listen-client-urls=" + client, "--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer, "--initial-advertise-peer-urls=" + peer,
		"--cert-file=" + cert, "--key-file=" + key, "--trusted-ca-file=" + ca, "--client-cert-auth",
		"--peer-cert-file=" + cert, "--peer-key-file=" + key, "--peer-trusted-ca-file=" + ca, "--peer-client-cert-auth",
		"--unsafe-no-fsync", // the page cache outlives kill -9, which is all that we promise
	}
}

func (c *Cluster) apiServerArguments() []string {
	ca, cert, key := c.at.pki("ca.crt"), c.at.pki(apiServer+".crt"), c.at.pki(apiServer+".key")
	account := c.at.pki("service-account.key")
	return []string{
		"--bind-address=127.0.0.1", fmt.Sprintf("--secure-port=%d", c.state.Ports.API),
		"--advertise-address=127.0.0.1", "--endpoint-reconciler-type=none", // endpoints may not be loopback
		"--etcd-servers=https://" + local(c.state.Ports.Etcd),
		"--etcd-cafile=" + ca, "--etcd-certfile=" + cert, "--etcd-keyfile=" + key,
		"--client-ca-file=" + ca, "--tls-cert-file=" + cert, "--tls-private-key-file=" + key,
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-signing-key-file=" + account, "--service-account-key-file=" + account,
		"--service-cluster-ip-range=10.0.0.0/16", "--authorization-mode=Node,RBAC", "--anonymous-auth=false",
		"--allow-privileged=true", "--profiling=false",
		"--audit-policy-file=" + c.at.policy(), "--audit-log-path=" + c.at.audit(),
		"--audit-log-format=json", "--audit-log-mode=blocking",
		"--audit-log-maxsize=1000000", // megabytes: 0 would move the log away at 100
	}
}

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
