package report

import (
	"encoding/json"
	"reflect"
	"strings"
	"time"
)

// object is a JSON object of the document.
type object = map[string]any

// schemas describes Go types as encoding/json writes them: JSON Schema 2020-12, one entry
// for each named struct.
type schemas map[string]object

func (s schemas) of(t reflect.Type) object {
	switch t {
	case reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case reflect.TypeFor[json.RawMessage](), reflect.TypeFor[any]():
		return object{}
	}
	switch t.Kind() {
	case reflect.Pointer:
		return s.of(t.Elem())
	case reflect.Slice:
		return object{"type": "array", "items": s.of(t.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": s.of(t.Elem())}
	case reflect.Struct:
		return s.ref(t)
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	}
	return object{"type": "string"}
}

// ref puts a struct among the schemas and refers to it. Two packages have a type of one
// name at times, so the package is part of it.
func (s schemas) ref(t reflect.Type) object {
	name := strings.ReplaceAll(t.String(), "*", "")
	if _, known := s[name]; !known {
		s[name] = object{} // a type may hold itself
		s[name] = s.structure(t)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

func (s schemas) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		schema := s.of(f.Type)
		if strings.Contains(options, "omit") {
			properties[name] = schema
			continue
		}
		required = append(required, name)
		if f.Type.Kind() == reflect.Pointer { // lists and maps are never null: see whole
			schema = object{"anyOf": []any{schema, object{"type": "null"}}}
		}
		properties[name] = schema
	}
	return object{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
}
