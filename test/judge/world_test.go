package judge_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/k8guard/k8guard/test/judge"
	"github.com/k8guard/k8guard/tools/controlplane/audit"
	"github.com/k8guard/k8guard/tools/mailsink"
)

const (
	action   = "system:serviceaccount:k8guard:k8guard-action"
	discover = "system:serviceaccount:k8guard:k8guard-discover"
)

// world is a small, honest run: a deployment that was acted on and undone after a fence,
// an ingress that was deleted and restored, each after two confirmed warnings.
type world struct {
	events []audit.Event
	dump   judge.Dump
	mails  []mailsink.Message
	terms  judge.Terms
	roots  map[string]string
	lost   map[judge.Violation]string
}

func at(second int) time.Time { return time.Date(2026, 11, 24, 1, 0, second, 0, time.UTC) }

func event(verb, resource, sub, name string, code int32, body string) audit.Event {
	return audit.Event{Kind: "Event", Level: "Request", Stage: "ResponseComplete", Verb: verb, RequestURI: "/x",
		User: audit.User{Name: action}, ObjectRef: audit.ObjectRef{Resource: resource, Subresource: sub, Namespace: "shop", Name: name},
		ResponseStatus: audit.Status{Code: code}, RequestObject: json.RawMessage(body), At: at(40)}
}

func scale(rv string, replicas, code int32) audit.Event {
	return event("update", "deployments", "scale", "web", code,
		fmt.Sprintf(`{"metadata":{"name":"web","uid":"u-web","resourceVersion":%q},"spec":{"replicas":%d}}`, rv, replicas))
}

func fence(code int32) audit.Event {
	return event("patch", "deployments", "", "web", code,
		`{"metadata":{"annotations":{"k8guard.io/enforcement":"e-0/abc"},"resourceVersion":"6","uid":"u-web"}}`)
}

func remove(code int32) audit.Event {
	return event("delete", "ingresses", "", "in", code, `{"preconditions":{"uid":"u-in","resourceVersion":"9"}}`)
}

func restore() audit.Event {
	e := event("create", "ingresses", "", "", 201, `{"metadata":{"name":"in","annotations":{"k8guard.io/enforcement":"e-2"}},"spec":{}}`)
	e.RequestURI = "/apis/networking.k8s.io/v1/namespaces/shop/ingresses?fieldManager=k8guard-e-2-undo"
	return e
}

func mail(n int, cases ...string) mailsink.Message {
	m := mailsink.Message{Envelope: mailsink.Envelope{N: n, At: at(10 * n), Rcpts: []string{"team@shop.example"}},
		Header: map[string][]string{"X-K8guard-Notice": {key(n)}, "Message-Id": {fmt.Sprintf("<%d@x>", n)}}}
	m.Text = "K8Guard in cluster dev.\r\n\r\n== Warnings ==\r\n"
	for _, id := range cases {
		m.Text += "\r\n  * A thing (R, high)\r\n    Link:    http://127.0.0.1:1/cases/" + id + "\r\n"
	}
	return m
}

func key(n int) string { return fmt.Sprintf("notice/email/team@shop.example/%d", n) }

func parse[T any](t *testing.T, text string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func docketOf(t *testing.T, kind, name, id, act, prior string, n int) judge.Docket {
	return parse[judge.Docket](t, fmt.Sprintf(`{"key":{"cluster":"c","root":"u-%[2]s"},"root":{"kind":%[1]q,"namespace":"shop","name":%[2]q,"uid":"u-%[2]s"},
		"cases":[{"id":%[3]q,"rule":"R","source":"app","state":"acted","notices":[{"key":%[7]q,"purpose":"warning","result":"sent"}]}],
		"enforcement":{"id":"e-%[6]d","action":%[4]q,"state":"undone","target":{"kind":%[1]q,"namespace":"shop","name":%[2]q,"uid":"u-%[2]s"},
		"cases":[%[3]q],"prior":%[5]s,"intentAt":"2026-11-24T01:00:35Z","undo":{"newUID":""}}}`, kind, name, id, act, prior, n, key(1)))
}

func noticeOf(t *testing.T, n int) judge.Notice {
	return parse[judge.Notice](t, fmt.Sprintf(`{"key":%q,"state":"sent","owner":{"emails":["team@shop.example"],"platform":true},
		"accepted":["team@shop.example"],"lastTry":"2026-11-24T01:00:%02dZ",
		"digest":{"items":[{"case":"c-mjcq2","purpose":"warning"},{"case":"c-02","purpose":"warning"}]}}`, key(n), 10*n))
}

func honest(t *testing.T) *world {
	t.Helper()
	lease := event("update", "leases", "", "k8guard-action", 200, `{}`)
	lease.ObjectRef.Namespace = "k8guard"
	dry := scale("7", 0, 200)
	dry.RequestURI = "/x?dryRun=All"
	theirs := lease
	theirs.User.Name, theirs.ObjectRef.Name = discover, "k8guard-discover"
	w := &world{
		events: []audit.Event{theirs, lease, dry, fence(200), scale("5", 0, 409), scale("7", 0, 200), scale("8", 3, 200), remove(200), restore()},
		dump: judge.Dump{
			Dockets: []judge.Docket{
				docketOf(t, "Deployment", "web", "c-mjcq2", "scale-to-zero", `{"resourceVersion":"7","replicas":3}`, 1),
				docketOf(t, "Ingress", "in", "c-02", "delete-ingress", `{"resourceVersion":"9","manifest":{}}`, 2)},
			History: []judge.Line{
				{Kind: "fenced", Root: "u-web", At: at(36), Case: "c-mjcq2", Data: map[string]string{"enforcement": "e-0"}},
				{Kind: "fenced", Root: "u-web", At: at(36), Case: "c-09", Data: map[string]string{"enforcement": "e-0"}},
				{Kind: "acted", Root: "u-web", At: at(40), Data: map[string]string{"enforcement": "e-1"}}},
			Notices: map[string]judge.Notice{key(1): noticeOf(t, 1), key(2): noticeOf(t, 2)},
		},
		mails: []mailsink.Message{mail(1, "c-mjcq2", "c-02"), mail(2, "c-mjcq2", "c-02")},
		terms: judge.Terms{Warnings: 2, Tries: 4, Owners: map[string][]string{"shop": {"team@shop.example"}}},
		roots: map[string]string{"u-web": "web", "u-in": "in"},
		lost:  map[judge.Violation]string{{UID: "u-web", Rule: "R", Source: "app"}: "web", {UID: "u-in", Rule: "R", Source: "app"}: "in"},
	}
	return w
}
