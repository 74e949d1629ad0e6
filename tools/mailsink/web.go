package mailsink

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
)

const (
	policy = "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
	head   = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Mail sink</title><style>body{font:1rem/1.5 sans-serif;max-width:70rem;margin:1rem auto;padding:0 1rem}td,th{text-align:left;padding:.2rem .8rem .2rem 0}pre{white-space:pre-wrap;border:1px solid;padding:.5rem}iframe{width:100%;height:40rem;border:1px solid}</style></head><body><main>`
	tail   = `</main></body></html>`
)

// pages serves the list, one mail, the messages as JSON, and the fault switch.
func (s *Sink) pages() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", s.list)
	mux.HandleFunc("GET /mail/{n}", s.one)
	mux.HandleFunc("GET /messages", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Messages()) })
	mux.HandleFunc("GET /fault", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, s.Fault()) })
	mux.HandleFunc("PUT /fault", s.putFault)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		w.Header().Set("Cache-Control", "no-store")
		if !local(r.Host) {
			http.Error(w, "ask by a loopback name", http.StatusMisdirectedRequest)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// local keeps out pages of other sites that point a name of theirs at this machine.
func local(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = host
	}
	ip := net.ParseIP(name)
	return name == "localhost" || (ip != nil && ip.IsLoopback())
}

func (s *Sink) list(w http.ResponseWriter, _ *http.Request) {
	var b strings.Builder
	mails := s.Messages()
	fmt.Fprintf(&b, "%s<h1>Mail sink</h1><p>%d kept, %d lost, behaves: %s</p><table><tr><th>No.<th>At<th>To<th>Subject</tr>",
		head, len(mails), len(s.Lost()), html.EscapeString(string(s.Fault().Mode)))
	for _, m := range mails {
		fmt.Fprintf(&b, `<tr><td>%d<td>%s<td>%s<td><a href="/mail/%d">%s</a></tr>`, m.N, m.At.UTC().Format("2006-01-02 15:04:05"),
			html.EscapeString(strings.Join(m.Rcpts, ", ")), m.N, html.EscapeString(m.Subject))
	}
	writeHTML(w, b.String()+"</table>"+tail)
}

func (s *Sink) one(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("n"))
	lines := s.store.envelopes()
	if err != nil || n < 1 || n > len(lines) || lines[n-1].Lost {
		http.Error(w, "no such mail", http.StatusNotFound)
		return
	}
	m := read(s.opts.Dir, lines[n-1])
	var b strings.Builder
	fmt.Fprintf(&b, `%s<p><a href="/">All mail</a></p><h1>%s</h1><p>From %s to %s</p>`, head, html.EscapeString(m.Subject),
		html.EscapeString(m.From), html.EscapeString(strings.Join(m.Rcpts, ", ")))
	if m.Problem != "" {
		fmt.Fprintf(&b, "<p>Damaged: %s</p>", html.EscapeString(m.Problem))
	}
	fmt.Fprintf(&b, `<h2>Text</h2><pre>%s</pre><h2>HTML</h2><iframe title="HTML part" sandbox srcdoc="%s"></iframe>`,
		html.EscapeString(m.Text), html.EscapeString(m.HTML))
	fmt.Fprintf(&b, `<h2>Raw</h2><pre>%s</pre>`, html.EscapeString(string(m.Raw)))
	writeHTML(w, b.String()+tail)
}

// putFault wants JSON by its name: a form of another site cannot send that.
func (s *Sink) putFault(w http.ResponseWriter, r *http.Request) {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
		http.Error(w, "send application/json", http.StatusUnsupportedMediaType)
		return
	}
	var f Fault
	err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&f)
	if err == nil {
		err = s.SetFault(f)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	writeJSON(w, f)
}

func writeHTML(w http.ResponseWriter, page string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = io.WriteString(w, page)
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}
