// Package audit reads the audit log of a development API server: the judge of what a program
// did to the cluster, whatever the program says of itself.
//
// Purpose: to let a test ask for exactly the writes of one user, with their bodies.
//
// Concurrency: the log may be read while the API server writes it. An API server may write an
// event shortly after it has answered the request: ask with [Wait] for what must be there,
// and let a later event of the same user be there before concluding that something is not.
//
// Guarantees: events come in the order of the log. A log that says nothing, or a line that is
// no event, is an error and never an empty answer.
//
// It will not: join the stages of a request, or read the logs of another format than JSON.
package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"
)

// ErrEmpty says that a log has no event, so that nothing can be concluded from it.
var ErrEmpty = errors.New("audit: the log has no event")

const (
	kind      = "Event"
	lookEvery = 50 * time.Millisecond
)

// Event is one stage of one request.
type Event struct {
	Kind           string            `json:"kind"`
	Level          string            `json:"level"` // Metadata, Request
	AuditID        string            `json:"auditID"`
	Stage          string            `json:"stage"` // ResponseStarted, ResponseComplete, Panic
	RequestURI     string            `json:"requestURI"`
	Verb           string            `json:"verb"`
	User           User              `json:"user"`
	UserAgent      string            `json:"userAgent"`
	ObjectRef      ObjectRef         `json:"objectRef"`
	ResponseStatus Status            `json:"responseStatus"`
	RequestObject  json.RawMessage   `json:"requestObject"` // nil below level Request
	Annotations    map[string]string `json:"annotations"`
	Received       time.Time         `json:"requestReceivedTimestamp"`
	At             time.Time         `json:"stageTimestamp"`
}

// User is who asked.
type User struct {
	Name   string   `json:"username"`
	Groups []string `json:"groups"`
}

// ObjectRef is what the request was about; all empty if it was about no resource. The UID and
// the resource version are there only if the body gave them.
type ObjectRef struct {
	Resource        string `json:"resource"`
	Subresource     string `json:"subresource"`
	Namespace       string `json:"namespace"`
	Name            string `json:"name"`
	UID             string `json:"uid"`
	APIGroup        string `json:"apiGroup"`
	APIVersion      string `json:"apiVersion"`
	ResourceVersion string `json:"resourceVersion"`
}

// Status is how the request ended.
type Status struct {
	Code    int32  `json:"code"` // of HTTP; 0 if it had not ended
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Read returns the events of the log at path. An unfinished last line is left out, since the
// API server is writing it.
func Read(path string) ([]Event, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the audit log: %w", err)
	}
	events, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("read the audit log %s: %w", path, err)
	}
	return events, nil
}

func parse(text []byte) ([]Event, error) {
	var events []Event
	for number := 1; ; number++ {
		line, rest, whole := bytes.Cut(text, []byte("\n"))
		if !whole {
			break
		}
		text = rest
		var e Event
		if err := json.Unmarshal(line, &e); err != nil {
			return nil, fmt.Errorf("line %d is not JSON: %w", number, err)
		}
		if e.Kind != kind || e.Verb == "" || e.Stage == "" {
			return nil, fmt.Errorf("audit: line %d is not an event with a verb and a stage", number)
		}
		events = append(events, e)
	}
	if len(events) == 0 {
		return nil, ErrEmpty
	}
	return events, nil
}

// Mutating says whether requests with the verb can change the cluster.
func Mutating(verb string) bool {
	switch verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

// Writes returns the events of the user's requests with a mutating verb, refused ones too,
// in their order. A service account's name is system:serviceaccount:NAMESPACE:NAME.
func Writes(events []Event, user string) []Event {
	var writes []Event
	for _, e := range events {
		if e.User.Name == user && Mutating(e.Verb) {
			writes = append(writes, e)
		}
	}
	return writes
}

// Wait reads the log until enough says true of it, and returns it as it is then. When ctx
// ends first, the error says so, and the log as read last is returned with it.
func Wait(ctx context.Context, path string, enough func([]Event) bool) ([]Event, error) {
	for {
		events, err := Read(path)
		if err == nil && enough(events) {
			return events, nil
		}
		if err != nil && !errors.Is(err, ErrEmpty) && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return events, fmt.Errorf("wait for events in the audit log %s, which has %d: %w", path, len(events), ctx.Err())
		case <-time.After(lookEvery):
		}
	}
}
