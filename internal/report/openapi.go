package report

import (
	"net/http"
	"reflect"
	"strings"

	"github.com/k8guard/k8guard/internal/ledger"
)

// endpoint is one address of the JSON API, as it is served and as it is described.
type endpoint struct {
	path, id, summary string
	query             []string
	answer            reflect.Type
	read              func(*http.Request) (any, error)         // GET
	write             func(*http.Request, Ask) (Answer, error) // POST
}

// says is a POST whose answer is words alone.
func says(do func(*http.Request, Ask) (string, error)) func(*http.Request, Ask) (Answer, error) {
	return func(r *http.Request, a Ask) (Answer, error) {
		text, err := do(r, a)
		return Answer{Result: text}, err
	}
}

func (e endpoint) method() string {
	if e.write != nil {
		return http.MethodPost
	}
	return http.MethodGet
}

func reads[T any](read func(*http.Request) (T, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) { return read(r) }
}

// endpoints is the whole API; nothing is served under /api/v1/ that is not in this list.
func (s *server) endpoints() []endpoint {
	all := []endpoint{
		{path: "overview", id: "overview", summary: "Counts of cases and acts", answer: reflect.TypeFor[ledger.Overview](),
			read: func(r *http.Request) (any, error) { return s.seen().Overview(r.Context()) }},
		{path: "status", id: "status", summary: "Mode, switches, budget, and how old the knowledge is", answer: reflect.TypeFor[Status](),
			read: func(r *http.Request) (any, error) { return s.statusNow(r) }},
		{path: "cases", id: "cases", summary: "Cases, worst severity and newest first", query: filterNames(),
			answer: reflect.TypeFor[ledger.CasePage](), read: reads(s.cases)},
		{path: "cases/{id}", id: "case", summary: "One case with its docket and history", answer: reflect.TypeFor[CaseView](),
			read: func(r *http.Request) (any, error) { return s.load(r.Context(), r.PathValue("id")) }},
		{path: "history", id: "history", summary: "History of everything, newest first. A page may be short, or empty, and still go on",
			query: historyNames(), answer: reflect.TypeFor[ledger.LinePage](), read: reads(s.lines)},
		{path: "next", id: "next", summary: "Steps that are due in the next hours, by date", query: []string{"hours", "limit", "cursor"},
			answer: reflect.TypeFor[ledger.DuePage](), read: reads(s.due)},
		{path: "owners", id: "owners", summary: "Owners by address, with their open cases and next step", query: []string{"limit", "cursor"},
			answer: reflect.TypeFor[ledger.OwnerPage](), read: reads(s.owners)},
		{path: "acts", id: "acts", summary: "Acts in force, undone, or refused with the gate's rule", query: []string{"what", "limit", "cursor"},
			answer: reflect.TypeFor[ledger.ActPage](), read: reads(s.acts)},
		{path: "budget", id: "budget", summary: "What acts are allowed, spent and left, and every switch", answer: reflect.TypeFor[BudgetView](), read: reads(s.budget)},
		{path: "openapi.json", id: "openapi", summary: "This document", answer: reflect.TypeFor[any](),
			read: func(*http.Request) (any, error) { return s.document(), nil }},
		{path: "cases/{id}/undo", id: "undo", summary: "Take back the act that the case is part of", answer: reflect.TypeFor[Answer](),
			write: says(func(r *http.Request, a Ask) (string, error) { return s.undo(r.Context(), r.PathValue("id"), a) })},
		{path: "freeze", id: "freeze", summary: "Stop enforcement in a scope", answer: reflect.TypeFor[Answer](), write: says(s.freeze(s.Control.Freeze, frozenWord))},
		{path: "unfreeze", id: "unfreeze", summary: "Lift the freeze of a scope", answer: reflect.TypeFor[Answer](), write: says(s.freeze(s.Control.Unfreeze, "unfrozen"))},
	}
	if s.Ack == nil {
		return all
	}
	return append(all, endpoint{path: "cases/{id}/ack", id: "ack", summary: "Say that the case was seen, and why it stands", answer: reflect.TypeFor[Answer](),
		write: func(r *http.Request, a Ask) (Answer, error) { return s.ack(r.Context(), r.PathValue("id"), a) }})
}

// Problem is how the API says no: RFC 9457.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// document describes the API as OpenAPI 3.1.
func (s *server) document() object {
	types, paths := schemas{}, object{}
	problem := object{"description": "It says in detail what to write instead, or what is wrong",
		"content": object{"application/problem+json": object{"schema": types.of(reflect.TypeFor[Problem]())}}}
	for _, e := range s.endpoints() {
		path := "/api/v1/" + e.path
		if paths[path] == nil {
			paths[path] = object{}
		}
		operation := object{"operationId": e.id, "summary": e.summary, "responses": object{"default": problem,
			"200": object{"description": "The answer", "content": object{"application/json": object{"schema": types.of(e.answer)}}}}}
		if e.write != nil {
			operation["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": types.of(reflect.TypeFor[Ask]())}}}
		}
		if list := parameters(e); len(list) > 0 {
			operation["parameters"] = list
		}
		paths[path].(object)[strings.ToLower(e.method())] = operation
	}
	return object{"openapi": "3.1.0", "info": object{"title": "K8Guard report", "version": "v1",
		"description": "What K8Guard found, told and did. Names in it are a promise; new ones may come."},
		"paths": paths, "components": object{"schemas": types}}
}

func parameters(e endpoint) (list []any) {
	if strings.Contains(e.path, "{id}") {
		list = append(list, object{"name": "id", "in": "path", "required": true, "description": "a case", "schema": object{"type": "string"}})
	}
	for _, name := range e.query {
		description, schema := parameter(name, e.id)
		list = append(list, object{"name": name, "in": "query", "description": description, "schema": schema})
	}
	return list
}

func parameter(name, id string) (string, object) {
	text, number := object{"type": "string"}, object{"type": "integer", "minimum": 1}
	oneOf := func(list []string) object { return object{"type": "string", "enum": list} }
	switch name {
	case "q":
		return "words that must all be in it; word* is what begins so", object{"type": "string", "maxLength": maxText}
	case "id":
		return "what the case's id begins with", object{"type": "string", "minLength": minID}
	case "status":
		return "may be repeated; without it all but standing and resolved", object{"type": "array", "items": oneOf(statuses())}
	case "severity":
		return "exact", oneOf(severities())
	case "kind":
		if id == "history" {
			return "of the entry", oneOf(entryKinds())
		}
		return "of the root, such as Deployment, in any case", text
	case "what":
		return "in-force without it", oneOf(actNames())
	case "since", "until":
		return "a day (the whole of it) or an RFC 3339 time", text
	case "hours", "limit":
		return "at most so many", number
	case "cursor":
		return "next of the page before", text
	}
	return "exact", text
}
