package faults

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"
)

// fate is what became of a message, as its server knows.
type fate string

const (
	held    fate = "held"    // not answered yet
	taken   fate = "taken"   // answered with success
	refused fate = "refused" // surely not taken
	perhaps fate = "perhaps" // taken, and not answered so
)

// heard is one message about one case, as a server got it.
type heard struct {
	at, until time.Time // until: it was answered, or the line broke
	notice    string    // as the medium names it
	cases     []string
	step      string // what is told of the case, with the warning's number if the medium shows it
	mention   bool   // of the owner's id
	fate      fate
}

// answer is what a server does with a message, before it says how it ended.
type answer func(http.ResponseWriter, *http.Request) fate

// busy asks for a pause.
func busy(pause time.Duration) answer {
	return func(w http.ResponseWriter, _ *http.Request) fate {
		w.Header().Set("Retry-After", strconv.Itoa(int(pause.Seconds())))
		w.WriteHeader(http.StatusTooManyRequests)
		return refused
	}
}

// drop takes the message and cuts the line.
func drop(w http.ResponseWriter, _ *http.Request) fate {
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		_ = conn.Close()
	}
	return perhaps
}

func fail(w http.ResponseWriter, _ *http.Request) fate {
	w.WriteHeader(http.StatusInternalServerError)
	return perhaps
}

// hold answers nothing until the sender has gone.
func hold(_ http.ResponseWriter, r *http.Request) fate {
	<-r.Context().Done()
	return perhaps
}

func fine(w http.ResponseWriter, _ *http.Request) fate {
	_, _ = io.WriteString(w, `{"ok":true,"channel":"C0STAGE","ts":"1700000000.`+strconv.FormatInt(time.Now().UnixMicro()%1_000_000+1_000_000, 10)[1:]+`"}`)
	return taken
}

// late answers well, after a while.
func late(w http.ResponseWriter, r *http.Request) fate {
	select {
	case <-r.Context().Done():
		return perhaps
	case <-time.After(2 * time.Second):
		return fine(w, r)
	}
}

// voice is a server that a channel speaks to: it records each message, and answers by a script.
type voice struct {
	url  string
	read func(*http.Request, []byte) (heard, bool) // false: no message
	ask  map[string]string                         // answers to what is no message, by path

	mu     sync.Mutex
	script []answer // the last one stays
	all    []heard
}

func newVoice(t *testing.T, read func(*http.Request, []byte) (heard, bool), script ...answer) *voice {
	t.Helper()
	v := &voice{read: read, script: script}
	s := httptest.NewServer(v)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	v.url = s.URL
	return v
}

// ServeHTTP implements http.Handler.
func (v *voice) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	m, is := v.read(r, body)
	if !is {
		if text := v.ask[r.URL.Path]; text != "" {
			_, _ = io.WriteString(w, text)
			return
		}
		fine(w, r)
		return
	}
	m.at, m.fate = time.Now(), held
	v.mu.Lock()
	i, do := len(v.all), v.script[0]
	if len(v.script) > 1 {
		v.script = v.script[1:]
	}
	v.all = append(v.all, m)
	v.mu.Unlock()
	end := do(w, r)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.all[i].fate, v.all[i].until = end, time.Now()
}

// heard are the messages so far.
func (v *voice) heard() []heard {
	v.mu.Lock()
	defer v.mu.Unlock()
	return append([]heard{}, v.all...)
}
