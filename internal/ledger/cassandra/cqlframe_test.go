package cassandra_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"sync/atomic"

	gocql "github.com/apache/cassandra-gocql-driver/v2"
)

// The codes of the CQL native protocol that the proxy looks for.
const (
	opReady        = 0x02
	opAuthenticate = 0x03
	opQuery        = 0x07
	opPrepare      = 0x09
	opExecute      = 0x0A
	opBatch        = 0x0D

	frameHeader   = 9
	segmentHeader = 6
	maxSegment    = 1<<17 - 1
	selfContained = 1 << 17
	withSegments  = 5 // the version from which a connection that is ready speaks in segments
)

// frame is one request or answer; of its text only the header is looked at.
type frame struct {
	text      []byte
	segmented bool
}

func (f frame) version() byte  { return f.text[0] & 0x7f }
func (f frame) stream() uint16 { return binary.BigEndian.Uint16(f.text[2:]) }
func (f frame) code() byte     { return f.text[4] }

// ready says that both sides speak in segments after this answer.
func (f frame) ready() bool {
	return f.version() >= withSegments && (f.code() == opReady || f.code() == opAuthenticate)
}

// asks says that the frame wants something of the tables.
func (f frame) asks() bool {
	switch f.code() {
	case opQuery, opPrepare, opExecute, opBatch:
		return true
	}
	return false
}

// wire reads the frames of one direction.
type wire struct {
	from      *bufio.Reader
	segmented *atomic.Bool // of both directions of a connection
	rest      bytes.Buffer // what segments brought beyond the last frame
}

func (w *wire) next() (frame, error) {
	if w.rest.Len() == 0 {
		if _, err := w.from.Peek(1); err != nil { // who speaks first decides nothing: wait
			return frame{}, err
		}
	}
	segmented := w.segmented.Load()
	head := make([]byte, frameHeader)
	if err := w.read(head, segmented); err != nil {
		return frame{}, err
	}
	text := make([]byte, frameHeader+int(binary.BigEndian.Uint32(head[5:])))
	copy(text, head)
	err := w.read(text[frameHeader:], segmented)
	return frame{text, segmented}, err
}

func (w *wire) read(into []byte, segmented bool) error {
	if !segmented {
		_, err := io.ReadFull(w.from, into)
		return err
	}
	for w.rest.Len() < len(into) {
		head := make([]byte, segmentHeader)
		if _, err := io.ReadFull(w.from, head); err != nil {
			return err
		}
		size := int64(binary.LittleEndian.Uint32(head) & maxSegment)
		if _, err := io.CopyN(&w.rest, w.from, size); err != nil {
			return err
		}
		if _, err := w.from.Discard(crc32Size); err != nil {
			return err
		}
	}
	_, err := io.ReadFull(&w.rest, into)
	return err
}

const crc32Size = 4

// wrap makes of a frame what goes over the wire.
func (f frame) wrap() []byte {
	if !f.segmented {
		return f.text
	}
	var all []byte
	for rest := f.text; len(rest) > 0; {
		part := rest[:min(len(rest), maxSegment)]
		rest = rest[len(part):]
		head := uint32(len(part))
		if len(part) == len(f.text) {
			head |= selfContained
		}
		all = append(all, byte(head), byte(head>>8), byte(head>>16))
		crc := gocql.Crc24(all[len(all)-3:])
		all = append(all, byte(crc), byte(crc>>8), byte(crc>>16))
		all = append(all, part...)
		all = binary.LittleEndian.AppendUint32(all, gocql.Crc32(part))
	}
	return all
}
