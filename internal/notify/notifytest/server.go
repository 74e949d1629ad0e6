package notifytest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// Request is one request as a server got it.
type Request struct {
	Method, Path string
	Header       http.Header
	Body         []byte
}

// Answer is what a server that works says to a request.
type Answer func(Request) (status int, body string)

// Server records requests over HTTP, and fails on demand. It stands still at one address while
// it refuses connections.
type Server struct {
	t      *testing.T
	answer Answer
	addr   string

	mu     sync.Mutex
	server *httptest.Server
	mode   Behaviour
	reply  func(http.ResponseWriter, Request) // not nil: in the place of the mode
	taken  []Request
	asked  int
}

// NewServer starts a server for one test.
func NewServer(t *testing.T, answer Answer) *Server {
	s := &Server{t: t, answer: answer, mode: Works, addr: "127.0.0.1:0"}
	s.open()
	t.Cleanup(s.close)
	return s
}

// URL is its address.
func (s *Server) URL() string { return "http://" + s.addr }

// Behave says what the next requests meet.
func (s *Server) Behave(b Behaviour) {
	s.mu.Lock()
	s.mode, s.reply = b, nil
	s.mu.Unlock()
	if s.close(); b != Refuses {
		s.open()
	}
}

// Reply has the next requests answered by hand, and not recorded as taken.
func (s *Server) Reply(f func(http.ResponseWriter, Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reply = f
}

// Taken are the requests that it accepted.
func (s *Server) Taken() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request{}, s.taken...)
}

// Asked counts all requests.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *Server) open() {
	l, err := net.Listen("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.addr = l.Addr().String()
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: s}} //nolint:gosec // of a test
	server.Start()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.server = server
}

func (s *Server) close() {
	s.mu.Lock()
	server := s.server
	s.server = nil
	s.mu.Unlock()
	if server != nil {
		server.CloseClientConnections()
		server.Close()
	}
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	got := Request{r.Method, r.URL.RequestURI(), r.Header, body}
	s.mu.Lock()
	mode, reply := s.mode, s.reply
	s.asked++
	if reply == nil && (mode == Works || mode == CutAfter) {
		s.taken = append(s.taken, got)
	}
	s.mu.Unlock()
	switch {
	case reply != nil:
		reply(w, got)
	case mode == Rejects:
		http.Error(w, "no: "+string(body), http.StatusBadRequest)
	case mode == Defers:
		w.Header().Set("Retry-After", "7")
		http.Error(w, "later", http.StatusTooManyRequests)
	case mode == CutAfter:
		if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
			_ = conn.Close()
		}
	case mode == Stall:
		<-r.Context().Done()
	default:
		status, text := s.answer(got)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}
