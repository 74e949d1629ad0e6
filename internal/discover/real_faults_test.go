package discover

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/cluster"
	"github.com/k8guard/k8guard/tools/controlplane"
	"github.com/k8guard/k8guard/tools/controlplane/controlplanetest"
)

// setting reads a count from the environment.
func setting(t *testing.T, name string, standard int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return standard
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is no number above zero", name, text)
	}
	return n
}

// Objects come and go while every request and every stream may be spoilt. When the faults
// end, what was published equals a list of our own: nothing missed, no ghosts.
func TestFaultsMissNothingAndInventNothing(t *testing.T) {
	c := controlplanetest.Start(t)
	wanted, objects := setting(t, "K8GUARD_FAULTS", 150), setting(t, "K8GUARD_FAULT_OBJECTS", 300)
	seed := uint64(setting(t, "K8GUARD_SEED", int(time.Now().UnixNano())))
	t.Logf("replay with K8GUARD_SEED=%d K8GUARD_FAULTS=%d K8GUARD_FAULT_OBJECTS=%d", seed, wanted, objects)
	config := must(c.RESTConfig())
	config.QPS, config.Burst = 1000, 1000
	made := &crowd{t: t, admin: must(kubernetes.NewForConfig(config)), dice: rand.New(rand.NewPCG(seed, 2))}
	for range objects {
		made.add()
	}
	f := &faults{dice: rand.New(rand.NewPCG(seed, 1)), on: true, count: map[string]int{}}
	_, r := run(t, spoilt(t, c, f), nil)
	from := time.Now()
	for f.total() < wanted {
		if time.Since(from) > time.Duration(wanted)*time.Second {
			t.Fatalf("only %d of %d faults in %s: %v", f.total(), wanted, time.Since(from), f.stop())
		}
		made.add()
		made.remove()
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("faults in %s: %v", time.Since(from).Round(time.Second), f.stop())
	missed, ghosts := -1, -1
	from = time.Now()
	eventually(t, "the published set equals a list", 2*time.Minute, func() bool {
		missed, ghosts = difference(t, made.admin, r)
		return missed == 0 && ghosts == 0
	})
	t.Logf("%d objects were made, %d are there: %d missed, %d ghosts, %s after the last fault",
		made.born, len(made.living), missed, ghosts, time.Since(from).Round(time.Millisecond))
}

// spoilt is a client under the shipped account, with the faults in between.
func spoilt(t *testing.T, c *controlplane.Cluster, f *faults) kubernetes.Interface {
	t.Helper()
	account(t, c) // makes it, and its rights
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := c.AccountKubeconfig(t.Context(), "k8guard", "k8guard-discover", path); err != nil {
		t.Fatal(err)
	}
	config := must(clientcmd.BuildConfigFromFlags("", path))
	config.Wrap(f.wrap)
	return must(cluster.NewClient(config))
}

// crowd is ingresses, good and bad, that come and go; as many as there were at first.
type crowd struct {
	t      *testing.T
	admin  kubernetes.Interface
	dice   *rand.Rand
	born   int
	living []string
}

func (c *crowd) add() {
	c.t.Helper()
	name := fmt.Sprintf("%s-%d", []string{"good", "bad"}[c.dice.IntN(2)], c.born)
	must(c.admin.NetworkingV1().Ingresses("default").Create(c.t.Context(), ingress(name), metav1.CreateOptions{}))
	c.born++
	c.living = append(c.living, name)
}

func (c *crowd) remove() {
	c.t.Helper()
	i := c.dice.IntN(len(c.living))
	if err := c.admin.NetworkingV1().Ingresses("default").Delete(c.t.Context(), c.living[i], metav1.DeleteOptions{}); err != nil {
		c.t.Fatal(err)
	}
	c.living = slices.Delete(c.living, i, i+1)
}

// difference counts violating ingresses that are not published as such, and published ones
// that are not there; and holds the inventory against the list too.
func difference(t *testing.T, admin kubernetes.Interface, r *recorder) (missed, ghosts int) {
	t.Helper()
	all := map[string]bool{} // by UID: whether it is bad
	for _, x := range must(admin.NetworkingV1().Ingresses("").List(t.Context(), metav1.ListOptions{})).Items {
		all[string(x.UID)] = strings.Contains(x.Name, "bad")
	}
	_, inventory, _ := r.inventory()
	r.mu.Lock()
	defer r.mu.Unlock()
	told := map[string]bool{}
	for uid, o := range r.latest {
		told[uid] = o.State == v1.Live && matters(o)
		if bad, there := all[uid]; o.Root.Kind == "Ingress" && told[uid] && (!there || !bad) {
			ghosts++
		}
	}
	for uid, bad := range all {
		if bad && !told[uid] || inventory[uid] == "" {
			missed++
		}
	}
	return missed, ghosts
}
