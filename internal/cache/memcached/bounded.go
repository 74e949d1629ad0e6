package memcached

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/k8guard/k8guard/internal/cache"
)

// maxLine is the longest first line of an answer.
const maxLine = 512

var errAnswer = errors.New("the answer is larger than any that was asked for; is this Memcached?")

// bounded is a connection whose answers have a size. The client makes room for as much as an
// answer says it has, up to 4 GiB: what its first line says is read before the client sees
// it, and what may follow is counted.
type bounded struct {
	net.Conn
	line []byte // the first line of the answer as far as it was read
	told bool   // it was read whole
	left int    // how much more may come then
}

// Write sends a question: an answer begins anew.
func (b *bounded) Write(p []byte) (int, error) {
	b.line, b.told = b.line[:0], false
	return b.Conn.Write(p)
}

// Read hands on what comes, unless it is too much.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if bad := b.count(p[:n]); bad != nil {
		return 0, bad
	}
	return n, err
}

func (b *bounded) count(came []byte) error {
	if !b.told {
		b.line = append(b.line, came...)
		line, rest, whole := bytes.Cut(b.line, []byte{'\n'})
		if !whole {
			if len(line) > maxLine {
				return errAnswer
			}
			return nil
		}
		var err error
		if b.left, err = more(line); err != nil {
			return err
		}
		b.told, came = true, rest
	}
	if b.left -= len(came); b.left < 0 {
		return errAnswer
	}
	return nil
}

// more is how much may follow an answer's first line: a value's bytes and the end, or nothing.
func more(line []byte) (int, error) {
	fields := bytes.Fields(line)
	if len(fields) < 4 || string(fields[0]) != "VALUE" {
		return 0, nil
	}
	size, err := strconv.ParseUint(string(fields[3]), 10, 32)
	if err != nil || size > cache.MaxValue {
		return 0, fmt.Errorf("a value of %.20q bytes: %w", fields[3], errAnswer)
	}
	return int(size) + len("\r\nEND\r\n"), nil
}
