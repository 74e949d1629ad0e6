package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/k8guard/k8guard/internal/app"
	"github.com/k8guard/k8guard/internal/config"
	"github.com/k8guard/k8guard/internal/manifest"
	"github.com/k8guard/k8guard/internal/rule"
	"github.com/k8guard/k8guard/internal/scan"
)

// scanInput is what is scanned: files, or a kustomization, or a chart, or a cluster.
type scanInput struct {
	files     []string
	recursive bool
	kustomize string
	chart     manifest.Chart
	cluster   bool
	where     app.Where
}

func (o *scanInput) flags(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "file or folder to judge, - for stdin; may be repeated")
	f.BoolVarP(&o.recursive, "recursive", "R", false, "also read the folders below")
	f.StringVarP(&o.kustomize, "kustomize", "k", "", "folder with a kustomization to build; nothing is fetched, no plugin runs")
	f.StringVar(&o.chart.Path, "chart", "", "Helm chart to render with the helm on your PATH")
	f.StringArrayVar(&o.chart.Values, "values", nil, "with --chart: a values file; may be repeated")
	f.StringArrayVar(&o.chart.Set, "chart-set", nil, "with --chart: a value, as helm's --set; may be repeated (--set is K8Guard's own configuration)")
	f.DurationVar(&o.chart.Limit, "chart-timeout", time.Minute, "with --chart: how long helm may take")
	f.BoolVar(&o.cluster, "cluster", false, "judge the current cluster; it is only read")
	f.StringVar(&o.where.Kubeconfig, "kubeconfig", "", "with --cluster: the kubeconfig (default: $KUBECONFIG, else ~/.kube/config)")
	f.StringVar(&o.where.Context, "context", "", "with --cluster: the kubeconfig's context")
	f.StringVarP(&o.where.Namespace, "namespace", "n", "", "with --cluster: one namespace; with --chart: the release's")
}

// check says what does not go together, before anything is read.
func (o *scanInput) check() error {
	inputs := 0
	for _, named := range []bool{len(o.files) > 0, o.kustomize != "", o.chart.Path != "", o.cluster} {
		if named {
			inputs++
		}
	}
	switch {
	case inputs == 0:
		return failure("nothing to scan: name a file, a folder, - for stdin, -k DIR, --chart DIR, or --cluster")
	case inputs > 1:
		return failure("scan one thing at a time: files, or -k, or --chart, or --cluster")
	case o.chart.Path == "" && len(o.chart.Values)+len(o.chart.Set) > 0:
		return failure("--values and --chart-set need --chart DIR")
	case !o.cluster && o.where.Kubeconfig+o.where.Context != "":
		return failure("--kubeconfig and --context need --cluster")
	case o.where.Namespace != "" && !o.cluster && o.chart.Path == "":
		return failure("-n needs --cluster or --chart")
	}
	return nil
}

// judge reads the input and runs the rules over it.
func (o *scanInput) judge(ctx context.Context, s Streams, conf config.Config, engine *rule.Engine) (scan.Report, error) {
	var set manifest.Set
	var err error
	from := strings.Join(o.files, ", ")
	switch {
	case o.cluster:
		return o.judgeCluster(ctx, s, conf, engine)
	case o.kustomize != "":
		from = o.kustomize
		set, err = manifest.Kustomize(o.kustomize)
	case o.chart.Path != "":
		from, o.chart.Namespace = o.chart.Path, o.where.Namespace
		set, err = manifest.Helm(ctx, o.chart, s.Err)
	default:
		set, err = manifest.Read(o.files, o.recursive, s.In)
	}
	if err == nil && len(set.Items) == 0 {
		return scan.Report{}, nothing(from, set)
	}
	return scan.Judge(engine, set, err), nil
}

func (o *scanInput) judgeCluster(ctx context.Context, s Streams, conf config.Config, engine *rule.Engine) (scan.Report, error) {
	o.where.Paths = kubeconfigs(s.Env)
	seen, err := app.Look(ctx, o.where, engine.Related())
	if err != nil {
		return scan.Report{}, err
	}
	if name := o.where.Namespace; name != "" && missing(seen, name) {
		return scan.Report{}, failure("no namespace is called %q in this cluster; kubectl get namespaces lists them", name)
	}
	report := scan.JudgeLive(engine, scan.Live{Entities: seen.Entities, Unread: seen.Unread, Bounded: o.where.Namespace != "", Ignored: conf.Discover.IgnoreNamespaces})
	if report.Summary.Objects+report.Summary.Errors == 0 {
		return scan.Report{}, failure("nothing was judged: %d objects were read, none of a namespace that is judged; see discover.ignoreNamespaces", len(seen.Entities))
	}
	return report, nil
}

// kubeconfigs are the files that kubectl would read.
func kubeconfigs(env []string) []string {
	home := ""
	for _, line := range env {
		if value, ok := strings.CutPrefix(line, "KUBECONFIG="); ok && value != "" {
			return filepath.SplitList(value)
		}
		if value, ok := strings.CutPrefix(line, "HOME="); ok {
			home = value
		}
	}
	if home == "" {
		home, _ = os.UserHomeDir() // where there is none, no file is read
	}
	if home == "" {
		return nil
	}
	return []string{filepath.Join(home, ".kube", "config")}
}
