package owner

import (
	"slices"
	"strings"
	"testing"
)

func TestAddresses(t *testing.T) {
	long := strings.Repeat("a", 64) + "@" + strings.Repeat("b.", 100) + "example"
	for _, c := range []struct {
		value     string
		valid     []string
		malformed int
	}{
		{"", nil, 0},
		{" , ,", nil, 0},
		{"Team@Demo.Example, a@b.cd,team@demo.example", []string{"a@b.cd", "team@demo.example"}, 0},
		{"a.b+c@x-y.example", []string{"a.b+c@x-y.example"}, 0},
		{"a@b.cd\r\nBcc: x@y.zz", nil, 1},
		{"a@b.cd\n", nil, 1},
		{"a\x00@b.cd", nil, 1},
		{`"a b"@b.cd`, nil, 1},
		{"Ann <a@b.cd>", nil, 1},
		{"ann@\u212Aube.example", nil, 1},
		{"a@localhost", nil, 1},
		{"a..b@c.de,.a@c.de,a@-c.de,a@c..de,@c.de,a@,a@b@c.de", nil, 7},
		{long, []string{long}[:0], 1},
	} {
		valid, malformed := Addresses(c.value)
		if !slices.Equal(valid, c.valid) || len(malformed) != c.malformed {
			t.Errorf("Addresses(%q) = %q, %q; want %q and %d malformed", c.value, valid, malformed, c.valid, c.malformed)
		}
	}
}

func FuzzAddresses(f *testing.F) {
	f.Add("a@b.cd, c@d.ef")
	f.Add("a@b.cd\nTo: x@y.zz")
	f.Fuzz(func(t *testing.T, value string) {
		valid, _ := Addresses(value)
		again, malformed := Addresses(strings.Join(valid, ","))
		if len(malformed) > 0 || !slices.Equal(valid, again) {
			t.Fatalf("%q: valid %q read again as %q, %q", value, valid, again, malformed)
		}
		for _, a := range valid {
			if len(a) > maxAddress || strings.ContainsAny(a, "\r\n\x00 <>\"") {
				t.Fatalf("%q is not a safe address", a)
			}
		}
	})
}
