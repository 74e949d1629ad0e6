package cassandra

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/k8guard/k8guard/internal/docket"
	"github.com/k8guard/k8guard/internal/ledger"
)

// codec squeezes documents. One serves all goroutines.
type codec struct {
	w *zstd.Encoder
	r *zstd.Decoder
}

func newCodec() (codec, error) {
	w, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return codec{}, fmt.Errorf("compress: %w", err)
	}
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(2*maxDocument))
	if err != nil {
		return codec{}, fmt.Errorf("decompress: %w", err)
	}
	return codec{w, r}, nil
}

// pack marshals v within the bound, and squeezes it.
func (c codec) pack(v any) ([]byte, error) {
	text, err := bounded(v)
	if err != nil {
		return nil, err
	}
	return c.w.EncodeAll(text, nil), nil
}

// errBroken says that what is stored cannot be read.
var errBroken = errors.New("what is stored is broken")

func (c codec) unpack(data []byte, into any) error {
	text, err := c.r.DecodeAll(data, nil)
	if err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return decode(text, into)
}

func decode(text []byte, into any) error {
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %w", errBroken, err)
	}
	return nil
}

func bounded(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return text, size(len(text), maxDocument)
}

func size(n, most int) error {
	if n > most {
		return fmt.Errorf("%w: %d bytes, at most %d are kept", ledger.ErrTooLarge, n, most)
	}
	return nil
}

const (
	// perVersion is how many lines one change may bring.
	perVersion = 1 << 20
	placeBits  = 12
)

// places gives out so many places in the order of writing, and returns the first: the
// microsecond of this process's clock, never twice, with some noise that keeps two processes
// apart. The next ones are a microsecond apart.
func (s *Store) places(n int) int64 {
	at := s.now().Sub(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)).Microseconds()
	for {
		last := s.placed.Load()
		first := max(at, last+1)
		if s.placed.CompareAndSwap(last, first+int64(n)) {
			return first<<placeBits | int64(rand.N(1<<placeBits)) //nolint:gosec // no secret
		}
	}
}

// row is one line as the dockets table keeps it.
type row struct {
	seq, place int64
	line       []byte
}

// rows makes a change's lines.
func (s *Store) rows(d docket.Docket, entries []docket.Entry) ([]row, error) {
	if len(entries) >= perVersion {
		return nil, fmt.Errorf("%w: %d history entries in one change", ledger.ErrTooLarge, len(entries))
	}
	place, total := s.places(len(entries)), 0
	all := make([]row, 0, len(entries))
	for i, e := range entries {
		if e.At.IsZero() {
			e.At = s.now()
		}
		line := ledger.LineOf(d, e)
		line.Seq = d.Version*perVersion + int64(i)
		text, err := bounded(line)
		if err != nil {
			return nil, err
		}
		total += len(text)
		all = append(all, row{seq: line.Seq, place: place + int64(i)<<placeBits, line: text})
	}
	return all, size(total, maxChange)
}
