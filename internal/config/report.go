package config

import (
	"net"
	"strings"
)

// The values of report.login.
const (
	LoginNone  = "none"
	LoginToken = "token"
)

// The values of report.tls.mode.
const (
	TLSFiles = "files"
	TLSOff   = "off"
)

// Loopback says that the pages can be reached from this host only.
func (r Report) Loopback() bool {
	host, _, err := net.SplitHostPort(r.Listen)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// Encrypted says that K8Guard itself serves the pages with TLS.
func (r Report) Encrypted() bool { return r.TLS.CertFile != "" }

// HTTPS says that readers come by https, to us or to a proxy in front.
func (r Report) HTTPS() bool { return strings.HasPrefix(r.URL, "https://") }

func (c *checker) report(r Report) {
	_, _, err := net.SplitHostPort(r.Listen)
	c.bad(err != nil, "report.listen", "is no address with a port; write 127.0.0.1:8686")
	c.bad(r.URL != "" && !strings.HasPrefix(r.URL, "http://") && !strings.HasPrefix(r.URL, "https://"),
		"report.url", "is not a web address; write https://…")
	c.oneOf("report.login", r.Login, LoginNone, LoginToken)
	c.bad(r.TLS.Mode != "" && r.TLS.Mode != TLSFiles && r.TLS.Mode != TLSOff, "report.tls.mode", "is not known; write files or off")
	c.bad(r.TLS.Mode == TLSOff && r.TLS.CertFile+r.TLS.KeyFile != "", "report.tls.mode",
		"is off beside a certificate; write files, or leave certFile and keyFile out")
	c.bad((r.TLS.CertFile == "") != (r.TLS.KeyFile == ""), "report.tls", "has one of certFile and keyFile; write both")
	if err == nil && !r.Loopback() {
		c.beyond(r)
	}
}

// beyond wants what an address needs that others than this host can reach.
func (c *checker) beyond(r Report) {
	c.bad(r.Login == LoginNone, "report.listen",
		"is not a loopback address, and the pages have no login; write report.login: token, or listen on 127.0.0.1:8686")
	c.bad(r.TLS.Mode != TLSOff && r.TLS.CertFile == "", "report.tls.certFile",
		"is empty, and report.listen is not a loopback address; write certFile and keyFile, or report.tls.mode: off if a proxy in front encrypts")
	c.bad(!r.HTTPS(), "report.url", "is no https:// address, and report.listen is not a loopback address: tokens would travel in clear; write the address that readers use, such as https://guard.example.com")
}
