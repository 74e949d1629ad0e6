package audit

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func line(verb, user, more string) string {
	return `{"kind":"Event","apiVersion":"audit.k8s.io/v1","stage":"ResponseComplete","verb":"` + verb +
		`","user":{"username":"` + user + `"}` + more + "}\n"
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadKeepsWhatAJudgeNeeds(t *testing.T) {
	events, err := Read(filepath.Join("testdata", "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	writes := Writes(events, "admin")
	if len(events) != 3 || len(writes) != 1 {
		t.Fatalf("got %d events and %d writes, want 3 and 1", len(events), len(writes))
	}
	e := writes[0]
	want := ObjectRef{Resource: "deployments", Namespace: "shop", Name: "web", UID: "u-1", APIGroup: "apps", APIVersion: "v1", ResourceVersion: "7"}
	if e.ObjectRef != want || e.Verb != "patch" || e.ResponseStatus.Code != 200 || e.Stage != "ResponseComplete" {
		t.Errorf("got %+v", e)
	}
	if got := string(e.RequestObject); got != `{"spec":{"replicas":0}}` {
		t.Errorf("body is %s", got)
	}
	if e.Annotations["authorization.k8s.io/decision"] != "allow" || e.RequestURI != "/apis/apps/v1/namespaces/shop/deployments/web?dryRun=All" {
		t.Errorf("annotations %v, uri %s", e.Annotations, e.RequestURI)
	}
	if received := time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC); !e.Received.Equal(received) || e.At.Sub(received) != time.Millisecond {
		t.Errorf("received %v, at %v", e.Received, e.At)
	}
}

func TestReadRefusesWhatProvesNothing(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":          "",
		"unfinished only":  strings.TrimSuffix(line("get", "a", ""), "\n"),
		"blank line":       line("get", "a", "") + "\n",
		"torn in between":  line("get", "a", "")[:30] + "\n" + line("get", "a", ""),
		"another document": `{"kind":"Status","verb":"get","stage":"x"}` + "\n",
		"no verb":          line("", "a", ""),
	} {
		t.Run(name, func(t *testing.T) {
			if events, err := Read(write(t, text)); err == nil {
				t.Errorf("got %d events and no error", len(events))
			}
		})
	}
	if _, err := Read(write(t, "")); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty log gives %v", err)
	}
}

func TestReadLeavesOutTheUnfinishedLine(t *testing.T) {
	events, err := Read(write(t, line("get", "a", "")+line("create", "a", "")[:40]))
	if err != nil || len(events) != 1 {
		t.Errorf("got %d events, %v", len(events), err)
	}
}

func TestWritesAreOfOneUserAndMutating(t *testing.T) {
	var text string
	verbs := []string{"create", "get", "update", "list", "patch", "watch", "delete", "deletecollection", "post"}
	for _, verb := range verbs {
		text += line(verb, "a", "") + line(verb, "ab", "")
	}
	events, err := Read(write(t, text))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range Writes(events, "a") {
		got = append(got, e.Verb)
	}
	if want := "create update patch delete deletecollection"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestWaitSeesWhatComesLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	time.AfterFunc(100*time.Millisecond, func() { _ = os.WriteFile(path, []byte(line("create", "a", "")), 0o600) })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if _, err := Wait(ctx, path, func(e []Event) bool { return len(Writes(e, "a")) == 1 }); err != nil {
		t.Error(err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 80*time.Millisecond)
	defer cancel()
	if _, err := Wait(ctx, path, func([]Event) bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(line("get", "a", "")))
	f.Add([]byte(line("create", "a", `,"requestObject":{"a":[1]},"objectRef":null`)))
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		events, err := parse(text)
		if (err == nil) != (len(events) > 0) {
			t.Errorf("%d events with error %v", len(events), err)
		}
		for _, e := range events {
			if e.Verb == "" || e.Stage == "" {
				t.Errorf("an event without verb or stage: %+v", e)
			}
		}
	})
}
