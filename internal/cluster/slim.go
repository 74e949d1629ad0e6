package cluster

import (
	"encoding/json"
	"unique"

	"github.com/k8guard/k8guard/internal/entity"
)

// Running is what a Pod's containers run, packed: thousands of pods run the same, and share
// one copy. Two are equal when they run the same.
type Running struct{ text unique.Handle[string] }

func packed(all []entity.Running) Running {
	if len(all) == 0 {
		return Running{}
	}
	text, err := json.Marshal(all)
	if err != nil { // strings only: JSON takes them all
		return Running{}
	}
	return Running{unique.Make(string(text))}
}

func (r Running) unpacked() []entity.Running {
	if r == (Running{}) {
		return nil
	}
	var all []entity.Running
	if json.Unmarshal([]byte(r.text.Value()), &all) != nil {
		return nil
	}
	return all
}

// Entity is what rules about several objects read of the record; see [entity.Entity.Slim].
func (r *Record) Entity() entity.Entity {
	return entity.Entity{Kind: r.Kind, Namespace: r.Namespace, Name: r.Name, UID: r.UID, Replicas: r.Replicas,
		Node: r.Node, Running: r.Running.unpacked(), Scaler: r.Scaler, Stored: r.Stored}
}
