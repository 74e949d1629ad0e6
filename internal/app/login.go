package app

import (
	"context"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/k8guard/k8guard/internal/access"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/login"
)

// checkLimit is how long a start waits to learn whether readers can be asked about.
const checkLimit = 10 * time.Second

// wireLogin makes the guard of the pages. A right that is missing keeps nothing else from
// running: it is said, and no reader gets in.
func (in *instance) wireLogin(ctx context.Context) error {
	c := in.Config.Report
	s := login.Settings{Host: hostOf(c.URL), Book: in.book, Secure: secure(c), Log: in.Log,
		Open: []string{"/style.css", "/healthz", "/readyz"}} // probes have no token, and must not depend on the API server
	if c.OpenMetrics {
		s.Open = append(s.Open, "/metrics")
	}
	if c.Login == config.LoginNone && c.HTTPS() {
		in.Log.Warn("report.url says that others reach the pages, and they ask nobody who they are", "next", "set report.login: token, unless the proxy in front lets in only who may do everything")
	}
	if c.Login == config.LoginToken {
		reviewer, err := in.reviewer()
		if err != nil {
			return err
		}
		once, cancel := context.WithTimeout(ctx, checkLimit)
		defer cancel()
		if err := reviewer.Check(once); err != nil {
			in.Log.Error("nobody can log in to the report", "err", err, "next", "mend it; it is asked again at each login")
		}
		s.Reviewer = reviewer
	}
	var err error
	in.guard, err = login.New(s)
	return err
}

// reviewer asks through discover's account, without a limit of ours: one page may name many
// namespaces, and each is asked for once in ten seconds.
func (in *instance) reviewer() (*access.Reviewer, error) {
	rest, err := restConfig(reportOf(in.Config), in.calls)
	if err != nil {
		return nil, fmt.Errorf("report.login wants an account that asks about readers: %w", err)
	}
	rest.QPS = -1
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return nil, err
	}
	return access.New(access.Settings{Client: client, Namespace: in.Config.Cluster.Namespace, Permit: in.Config.Enforce.Permit, Now: in.Now}), nil
}

// learnCluster waits for the API server, and gives a report that runs by itself the UID of the cluster that its guard asks.
func (in *instance) learnCluster(ctx context.Context) error {
	if in.Config.Report.Login != config.LoginToken {
		return nil
	}
	reviewer, err := in.reviewer()
	if err != nil {
		return err
	}
	return in.await(ctx, reportOf(in.Config), func(ctx context.Context) error {
		once, cancel := context.WithTimeout(ctx, checkLimit)
		defer cancel()
		system, err := reviewer.Client.CoreV1().Namespaces().Get(once, "kube-system", metav1.GetOptions{})
		if err == nil {
			in.cluster.UID = string(system.UID)
		}
		return err
	})
}

// secure says that readers come by https, to us or to a proxy in front.
func secure(c config.Report) bool {
	return c.Encrypted() || c.HTTPS()
}
