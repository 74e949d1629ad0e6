package config_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/k8guard/k8guard/internal/config"
)

// TestReference renders the configuration's reference from its types, comments and
// defaults, and compares it with the file in docs/generated.
func TestReference(t *testing.T) {
	c := config.Default()
	c.Data.Dir = "$XDG_STATE_HOME/k8guard"
	c.Policies = []config.Policy{{Ladder: config.DefaultLadder()}}
	c.Exemptions, c.Clusters = []config.Exemption{{}}, []config.ActingCluster{{}}
	c.Notify.Slack.Users, c.Notify.HipChat.Users, c.Notify.Webhook = []config.ChatUser{{}}, []config.ChatUser{{}}, []config.Webhook{{}}
	r := reference{t: t, comments: comments(t)}
	r.WriteString("# Configuration\n\nRendered by `make generate` from internal/config; do not edit.\n\n" +
		"Defaults, then one YAML file (`--config`, else `$K8GUARD_CONFIG`, else `./k8guard.yaml`), then the environment\n" +
		"(`K8GUARD__LOG__LEVEL=debug`), then `--set log.level=debug`; the last one wins. An unknown key or a bad value is an\n" +
		"error. `k8guard config check` says what is wrong, `k8guard config print` what is in force.\n\n" +
		"The variables of the first K8Guard (`K8GUARD_CLUSTER_NAME`, `K8GUARD_ACTION_SMTP_SERVER`, …) still work, below the new\n" +
		"ones. One that has no meaning here is a warning that says what replaced it; none switches enforcement on.\n")
	r.group("", reflect.ValueOf(c))
	golden(t, "../../docs/generated/config.md", r.String())
}

type reference struct {
	strings.Builder
	t        *testing.T
	comments map[string]string // by "Type" and "Type.Field"
}

// group writes a section for v, and then for the groups in it.
func (r *reference) group(key string, v reflect.Value) {
	var rows []string
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !isGroup(field.Type) {
			rows = append(rows, r.row(v.Type(), field, v.Field(i)))
		}
	}
	if key != "" {
		fmt.Fprintf(&r.Builder, "\n## %s\n\n%s\n", key, r.text(v.Type(), v.Type().Name()))
	}
	if len(rows) > 0 {
		fmt.Fprintf(&r.Builder, "\n| key | value | default | meaning |\n|---|---|---|---|\n%s", strings.Join(rows, ""))
	}
	for i := range v.NumField() {
		field, below := v.Type().Field(i), v.Field(i)
		name := strings.TrimPrefix(key+"."+field.Tag.Get("yaml"), ".")
		switch {
		case isGroup(field.Type) && below.Kind() == reflect.Slice:
			r.group(name+"[]", below.Index(0))
		case isGroup(field.Type):
			r.group(name, below)
		}
	}
}

func (r *reference) row(group reflect.Type, f reflect.StructField, v reflect.Value) string {
	return fmt.Sprintf("| `%s` | %s | %s | %s |\n", f.Tag.Get("yaml"), kind(f.Type), normal(v), r.text(group, group.Name()+"."+f.Name))
}

// text is a comment in which the fields of the group are called by their keys.
func (r *reference) text(group reflect.Type, of string) string {
	text := strings.Join(strings.Fields(r.comments[of]), " ")
	if text == "" {
		r.t.Errorf("%s has no comment; say there what it does", of)
	}
	for i := range group.NumField() {
		f := group.Field(i)
		text = regexp.MustCompile(`\b`+f.Name+`\b`).ReplaceAllString(text, "`"+f.Tag.Get("yaml")+"`")
	}
	return strings.ReplaceAll(text, "|", `\|`)
}

func isGroup(t reflect.Type) bool {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	return t.Kind() == reflect.Struct && t != reflect.TypeFor[time.Time]() && t != reflect.TypeFor[config.Secret]()
}

func kind(t reflect.Type) string {
	switch {
	case t == reflect.TypeFor[time.Duration]():
		return "duration"
	case t == reflect.TypeFor[time.Time]():
		return "time"
	case t == reflect.TypeFor[config.Secret]():
		return "secret"
	case t.Kind() == reflect.Slice:
		return "list"
	}
	return map[reflect.Kind]string{reflect.String: "text", reflect.Bool: "true or false", reflect.Int: "whole number",
		reflect.Float64: "number"}[t.Kind()]
}

func normal(v reflect.Value) string {
	if v.IsZero() && v.Kind() != reflect.Int && v.Kind() != reflect.Int64 && v.Kind() != reflect.Bool {
		return ""
	}
	if d, ok := v.Interface().(time.Duration); ok {
		return "`" + config.Shortly(d) + "`"
	}
	return fmt.Sprintf("`%v`", v.Interface())
}

// comments reads what stands above and behind each type and field of the package.
func comments(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		commentsOf(file, found)
	}
	return found
}

func commentsOf(file *ast.File, found map[string]string) {
	for _, d := range file.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		name := g.Specs[0].(*ast.TypeSpec).Name.Name
		found[name] = g.Doc.Text()
		if s, ok := g.Specs[0].(*ast.TypeSpec).Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				if len(f.Names) == 0 {
					continue
				}
				found[name+"."+f.Names[0].Name] = f.Doc.Text() + " " + f.Comment.Text()
			}
		}
	}
}
