package chart

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// ready runs the pod's own readiness probe.
func (p *pod) ready() (string, bool) {
	select {
	case <-p.done:
		p.t.Fatalf("the pod ended: %v\n%s", p.err, p.tail())
	default:
	}
	if get := p.container.ReadinessProbe.HTTPGet; get != nil {
		return p.probed(get)
	}
	probe := p.container.ReadinessProbe.Exec
	if probe == nil || probe.Command[0] != "/k8guard" {
		p.t.Fatalf("the readiness probe is %+v", p.container.ReadinessProbe)
	}
	args := slices.Clone(probe.Command[1:])
	if u, err := url.Parse(args[len(args)-1]); err == nil && p.listens != "" && u.Host != "" {
		u.Host = p.listens
		args[len(args)-1] = u.String()
	}
	out, err := p.exec(args...)
	return fmt.Sprint(out, err, p.tail()), err == nil
}

// probed asks as a kubelet does, which goes by the pod's address and looks at no certificate.
func (p *pod) probed(get *corev1.HTTPGetAction) (string, bool) {
	c := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	r, err := http.NewRequestWithContext(p.t.Context(), http.MethodGet, strings.ToLower(string(get.Scheme))+"://"+p.listens+get.Path, nil)
	must(p.t, err)
	resp, err := c.Do(r)
	if err != nil {
		return fmt.Sprint(err, p.tail()), false
	}
	_ = resp.Body.Close()
	return fmt.Sprint(resp.Status, p.tail()), resp.StatusCode >= 200 && resp.StatusCode < 400
}
