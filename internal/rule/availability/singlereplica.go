// Package availability holds the rules about what a failure of one node or pod takes down.
//
// Purpose: one file per rule; each is a constructor of a [rule.Rule].
//
// Concurrency: the rules hold no state that changes.
//
// Guarantees: what was not read is unknown, never guessed.
//
// It will not: look at the pods that run now; the desired state counts.
package availability

import (
	"fmt"
	"strconv"

	v1 "github.com/k8guard/k8guard/api/v1"
	"github.com/k8guard/k8guard/internal/entity"
	"github.com/k8guard/k8guard/internal/rule"
)

// SingleReplica finds workloads whose floor is one replica: the autoscaler's minimum where
// there is one, else the replicas asked for (unset is one). Zero is not one.
func SingleReplica() rule.Rule {
	return rule.Rule{
		Meta: rule.Meta{
			ID:       "SINGLE_REPLICA",
			Title:    "A workload runs a single replica",
			Why:      "While its one pod moves to another node, is updated or fails, nobody is served.",
			Remedy:   "Set spec.replicas, or the minReplicas of its autoscaler, to 2 or more; ask for an exemption where only one may run.",
			Severity: rule.Low, Category: rule.Availability, Revision: 1,
			Kinds: []entity.Kind{entity.Deployment, entity.StatefulSet, entity.ReplicaSet},
			Reads: []entity.Kind{entity.HorizontalPodAutoscaler},
		},
		Check: checkReplicas,
	}
}

func checkReplicas(e entity.Entity, related rule.Related) rule.Result {
	asked, evidence := int32(1), "unset"
	if e.Replicas != nil {
		asked, evidence = *e.Replicas, strconv.Itoa(int(*e.Replicas))
	}
	if asked == 0 { // a pass would end a case by scaling down for a minute
		return rule.Result{Unknown: "scaled to zero: how many run when it is back is not known"}
	}
	autoscalers, known := related.List(entity.HorizontalPodAutoscaler, e.Namespace)
	if !known {
		return rule.Result{Unknown: "the autoscalers could not be read, and one may hold a higher floor"}
	}
	var mine []entity.Entity
	for _, a := range autoscalers {
		if a.Scaler != nil && a.Scaler.Kind == e.Kind && a.Scaler.Name == e.Name {
			mine = append(mine, a)
		}
	}
	switch {
	case len(mine) > 1:
		return rule.Result{Unknown: fmt.Sprintf("%d autoscalers name it, so which one scales it is not certain", len(mine))}
	case len(mine) == 1:
		return floor(mine[0])
	case asked == 1:
		return single("one replica is asked for, and no autoscaler holds a higher floor", "spec.replicas", evidence)
	}
	return rule.Result{}
}

func floor(autoscaler entity.Entity) rule.Result {
	s := autoscaler.Scaler
	switch {
	case s.Min != 1:
		return rule.Result{}
	case s.Foreign != "": // KEDA's ScaledObject makes an autoscaler of minimum 1, also where its own is 0
		return rule.Result{Unknown: fmt.Sprintf("its autoscaler %s is made by a %s, which may scale it to zero and is not read", autoscaler.Name, s.Foreign)}
	}
	return single("the autoscaler "+autoscaler.Name+" may scale it down to one replica", "spec.replicas", "minReplicas 1")
}

func single(message, path, evidence string) rule.Result {
	return rule.Result{Violations: []v1.Violation{{Source: "replicas", Message: message, Path: path, Evidence: evidence}}}
}
