package config

import (
	"strings"
	"testing"
)

func TestWhatAnAddressBeyondLoopbackWants(t *testing.T) {
	files := TLS{CertFile: "/tls.crt", KeyFile: "/tls.key"}
	for _, tc := range []struct {
		report Report
		keys   string // that are wrong
	}{
		{Report{Listen: "127.0.0.1:8686", Login: LoginNone}, ""},
		{Report{Listen: "127.0.0.1:8686", Login: LoginToken, URL: "http://guard.example.com"}, ""},
		{Report{Listen: "0.0.0.0:8686", Login: LoginToken, URL: "https://guard.example.com", TLS: TLS{Mode: TLSOff}}, ""},
		{Report{Listen: "0.0.0.0:8686", Login: LoginToken, URL: "https://guard.example.com", TLS: files}, ""},
		{Report{Listen: "0.0.0.0:8686", Login: LoginToken, URL: "http://guard.example.com", TLS: TLS{Mode: TLSOff}}, "report.url"},
		{Report{Listen: "0.0.0.0:8686", Login: LoginToken, URL: "http://guard.example.com", TLS: files}, "report.url"},
		{Report{Listen: ":8686", Login: LoginNone}, "report.listen report.tls.certFile report.url"},
	} {
		c := &checker{}
		c.report(tc.report)
		var keys []string
		for _, p := range c.found {
			keys = append(keys, p.key)
		}
		if got := strings.Join(keys, " "); got != tc.keys {
			t.Errorf("%+v: wrong are %q, want %q", tc.report, got, tc.keys)
		}
	}
}
