package mailsink

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Envelope is one line of index.jsonl: what the sender said around a message.
type Envelope struct {
	N     int       `json:"n"` // from 1
	At    time.Time `json:"at"`
	From  string    `json:"from"`
	Rcpts []string  `json:"rcpts"`
	TLS   bool      `json:"tls"`
	Auth  bool      `json:"auth"`
	Lost  bool      `json:"lost,omitempty"` // answered with 250 and thrown away
}

func (e Envelope) file() string { return fmt.Sprintf("%04d.eml", e.N) }

type store struct {
	dir   string
	mu    sync.Mutex
	index *os.File
	lines []Envelope
}

func openStore(dir string) (*store, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("mail sink: make its folder: %w", err)
	}
	lines, err := ReadIndex(dir)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "index.jsonl"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, fmt.Errorf("mail sink: open its index: %w", err)
	}
	return &store{dir: dir, index: f, lines: lines}, nil
}

// ReadIndex reads the envelopes recorded in a folder, in order, also while no sink runs. A
// last line that a crash cut short was never answered with 250; it is an error, not a mail.
func ReadIndex(dir string) ([]Envelope, error) {
	data, err := os.ReadFile(filepath.Join(dir, "index.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("mail sink: read its index: %w", err)
	}
	var lines []Envelope
	for sc := bufio.NewScanner(bytes.NewReader(data)); sc.Scan(); {
		var e Envelope
		if err := json.Unmarshal(sc.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("mail sink: index line %d is damaged: cut it off: %w", len(lines)+1, err)
		}
		lines = append(lines, e)
	}
	return lines, nil
}

// add makes the message durable, then its line, then returns: the line proves the message.
func (s *store) add(e Envelope, body []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.N = len(s.lines) + 1
	if !e.Lost {
		if err := writeSynced(filepath.Join(s.dir, e.file()), body); err != nil {
			return err
		}
		if err := syncDir(s.dir); err != nil {
			return err
		}
	}
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("mail sink: encode an envelope: %w", err)
	}
	if _, err := s.index.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("mail sink: write its index: %w", err)
	}
	if err := s.index.Sync(); err != nil {
		return fmt.Errorf("mail sink: sync its index: %w", err)
	}
	s.lines = append(s.lines, e)
	return nil
}

func (s *store) envelopes() []Envelope {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Envelope(nil), s.lines...)
}

func (s *store) close() error { return s.index.Close() }

func writeSynced(path string, data []byte) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("mail sink: keep a message: %w", err)
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("mail sink: keep a message: %w", err)
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("mail sink: open its folder: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}
