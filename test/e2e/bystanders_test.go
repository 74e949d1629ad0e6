package e2e

import "fmt"

// bystanders are objects that K8Guard must leave alone: violating ones in a namespace
// where its policy only tells, and clean ones beside those that it acts on.
type bystanders struct {
	s      *scene
	before map[string]object // by namespace/kind/name
}

func (s *scene) bystand(namespace string) *bystanders {
	s.t.Helper()
	const only = "only-told"
	s.owners[only] = []string{only + "@stage.example"}
	text := fmt.Sprintf(namespaceYAML, only, s.owners[only][0])
	text += fmt.Sprintf(workloadYAML, only, "told", true, "Deployment") + fmt.Sprintf(ingressYAML, only, "told")
	text += fmt.Sprintf(namespaceYAML, namespace, namespace+"@stage.example") + fmt.Sprintf(workloadYAML, namespace, "clean", false, "Deployment")
	s.apply(text)
	return &bystanders{s, s.told(namespace, only)}
}

func (s *scene) told(namespaces ...string) map[string]object {
	s.t.Helper()
	all := map[string]object{}
	for _, namespace := range namespaces {
		for _, o := range s.objects(namespace) {
			all[namespace+"/"+o.Kind+"/"+o.Metadata.Name] = o
		}
	}
	return all
}

// untouched holds every bystander against what it was.
func (b *bystanders) untouched(namespace string) {
	b.s.t.Helper()
	if len(b.before) != 3 {
		b.s.t.Errorf("there were %d bystanders, want 3", len(b.before))
	}
	after := b.s.told(namespace, "only-told")
	for name, was := range b.before {
		is, there := after[name]
		switch {
		case !there || is.Metadata.UID != was.Metadata.UID || is.Metadata.DeletionTimestamp != "":
			b.s.t.Errorf("bystander %s is gone", name)
		case is.Kind == "Deployment" && (is.Spec.Replicas == nil || *is.Spec.Replicas != 2):
			b.s.t.Errorf("bystander %s was scaled", name)
		}
	}
}
