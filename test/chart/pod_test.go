package chart

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// user is who the chart's pods run as.
const user = 65532

// accountDir is where a pod finds its account.
const accountDir = "/var/run/secrets/kubernetes.io/serviceaccount"

// pod is the container of an installed Deployment, as a process: its image is a root folder that
// holds the program and nothing else, its volumes are what the cluster holds, its account's token
// is asked for as a kubelet does, its arguments and its environment are the installed ones.
type pod struct {
	t         *testing.T
	root, log string
	container corev1.Container
	listens   string // where, if not where its configuration says
	cmd       *exec.Cmd
	done      chan struct{}
	err       error // set before done is closed
}

// kubelet makes pods of one cluster.
type kubelet struct {
	*ground
	client  kubernetes.Interface
	program string
	dir     string
}

// pod starts the first replica. Pods that would have an address each, and share loopback here,
// are told where to listen.
func (k *kubelet) pod(deployment, listen string) *pod {
	t := k.t
	t.Helper()
	d, err := k.client.AppsV1().Deployments("k8guard").Get(t.Context(), deployment, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := &pod{t: t, root: filepath.Join(k.dir, deployment), log: filepath.Join(k.dir, deployment+".log"), container: d.Spec.Template.Spec.Containers[0]}
	if listen != "" {
		p.container.Env = append(p.container.Env, corev1.EnvVar{Name: "K8GUARD__REPORT__LISTEN", Value: listen})
		p.listens = listen
	}
	k.image(p)
	k.account(p, d)
	for _, m := range p.container.VolumeMounts {
		for _, v := range d.Spec.Template.Spec.Volumes {
			if v.Name == m.Name {
				k.volume(filepath.Join(p.root, m.MountPath), v)
			}
		}
	}
	must(t, os.Chmod(p.root, 0o555)) // the process is not root: it can write to its volumes only
	p.start(k.cluster.URL())
	return p
}

func (k *kubelet) image(p *pod) {
	must(k.t, os.MkdirAll(p.root, 0o755))
	must(k.t, os.Link(k.program, filepath.Join(p.root, "k8guard")))
}

// account asks for a token of the pod's account, unless the pod wants none.
func (k *kubelet) account(p *pod, d *appsv1.Deployment) {
	spec := d.Spec.Template.Spec
	if spec.AutomountServiceAccountToken != nil && !*spec.AutomountServiceAccountToken {
		return
	}
	token, err := k.client.CoreV1().ServiceAccounts("k8guard").CreateToken(k.t.Context(), spec.ServiceAccountName, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	must(k.t, err)
	ca, err := k.cluster.CA()
	must(k.t, err)
	k.files(filepath.Join(p.root, accountDir), map[string][]byte{"token": []byte(token.Status.Token), "ca.crt": ca, "namespace": []byte("k8guard")})
}

func (k *kubelet) volume(at string, v corev1.Volume) {
	t := k.t
	t.Helper()
	switch {
	case v.EmptyDir != nil, v.PersistentVolumeClaim != nil:
		must(t, os.MkdirAll(at, 0o700))
		must(t, os.Chown(at, user, user))
	case v.ConfigMap != nil:
		c, err := k.client.CoreV1().ConfigMaps("k8guard").Get(t.Context(), v.ConfigMap.Name, metav1.GetOptions{})
		must(t, err)
		data := map[string][]byte{}
		for name, text := range c.Data {
			data[name] = []byte(text)
		}
		k.files(at, data)
	case v.Secret != nil:
		s, err := k.client.CoreV1().Secrets("k8guard").Get(t.Context(), v.Secret.SecretName, metav1.GetOptions{})
		must(t, err)
		data := maps.Clone(s.Data)
		if len(v.Secret.Items) > 0 {
			clear(data)
		}
		for _, item := range v.Secret.Items {
			if _, ok := s.Data[item.Key]; !ok {
				t.Fatalf("Secret %s lacks the key %s", s.Name, item.Key)
			}
			data[item.Path] = s.Data[item.Key]
		}
		k.files(at, data)
	default:
		t.Fatalf("volume %+v: not known here", v)
	}
}

// files are readable for the pod's group, and written by nobody.
func (k *kubelet) files(at string, data map[string][]byte) {
	k.t.Helper()
	must(k.t, os.MkdirAll(at, 0o755))
	for name, text := range data {
		must(k.t, os.WriteFile(filepath.Join(at, name), text, 0o440))
		must(k.t, os.Chown(filepath.Join(at, name), 0, user))
	}
}

// command is one in the pod's root, as its user.
func (p *pod) command(args ...string) *exec.Cmd {
	cmd := exec.CommandContext(p.t.Context(), "/k8guard", args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: p.root, Credential: &syscall.Credential{Uid: user, Gid: user}, Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Env = []string{}
	for _, e := range p.container.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	return cmd
}

func (p *pod) start(api string) {
	p.t.Helper()
	log, err := os.Create(p.log)
	must(p.t, err)
	defer func() { _ = log.Close() }()
	host, port, _ := strings.Cut(strings.TrimPrefix(api, "https://"), ":")
	p.cmd = p.command(p.container.Args...)
	p.cmd.Env = append(p.cmd.Env, "KUBERNETES_SERVICE_HOST="+host, "KUBERNETES_SERVICE_PORT="+port)
	p.cmd.Stdout, p.cmd.Stderr, p.done = log, log, make(chan struct{})
	must(p.t, p.cmd.Start())
	go func() { p.err = p.cmd.Wait(); close(p.done) }()
	p.t.Cleanup(p.kill)
}

func (p *pod) kill() {
	select {
	case <-p.done:
	default:
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// stop asks it to end, and wants it to end well.
func (p *pod) stop() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.done:
		if p.err != nil {
			p.t.Errorf("it ended with %v: %s", p.err, p.tail())
		}
	case <-time.After(time.Minute):
		p.t.Errorf("it did not end within its grace period: %s", p.tail())
	}
}

// exec is kubectl exec.
func (p *pod) exec(args ...string) (string, error) {
	cmd := p.command(args...)
	var out, problem strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problem
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%w: %s", err, problem.String())
	}
	return out.String(), nil
}

func (p *pod) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-4000):])
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil && !errors.Is(err, os.ErrExist) {
		t.Fatal(err)
	}
}
