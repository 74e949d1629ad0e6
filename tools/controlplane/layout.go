package controlplane

import (
	"os"
	"path/filepath"
)

// The programs, by the names of their files.
const (
	etcd              = "etcd"
	apiServer         = "kube-apiserver"
	controllerManager = "kube-controller-manager"
	scheduler         = "kube-scheduler"
	kubectl           = "kubectl"
	kwok              = "kwok"
)

const stateFile = "cluster.json"

// layout names what a state folder holds.
type layout struct{ dir string }

func (l layout) in(name string) string         { return filepath.Join(l.dir, name) }
func (l layout) pki(name string) string        { return filepath.Join(l.dir, "pki", name) }
func (l layout) log(name string) string        { return filepath.Join(l.dir, "logs", name+".log") }
func (l layout) audit() string                 { return l.in("audit.log") }
func (l layout) policy() string                { return l.in("audit-policy.yaml") }
func (l layout) stages() string                { return l.in("kwok.yaml") }
func (l layout) kubeconfig(name string) string { return l.in(name + ".kubeconfig") }

// mark is in the command line of each program, by which a running one is known to be ours.
func (l layout) mark() string { return l.dir + string(filepath.Separator) }

// entries are the names of all that Start puts into the folder.
func (l layout) entries() []string {
	return []string{
		stateFile, "pki", "logs", "etcd", "audit.log", "audit-policy.yaml", "kwok.yaml", "kubectl-cache",
		"admin.kubeconfig", controllerManager + ".kubeconfig", scheduler + ".kubeconfig", kwok + ".kubeconfig",
	}
}

func (l layout) make() error {
	for _, name := range []string{"pki", "logs", "etcd"} {
		if err := os.Mkdir(l.in(name), 0o700); err != nil {
			return err
		}
	}
	return nil
}
