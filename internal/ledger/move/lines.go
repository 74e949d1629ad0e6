package move

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// next reads one line, which has one thing and nothing that is not known here.
func (r *reader) next() (entry, error) {
	text, err := r.text()
	if err != nil {
		return entry{}, err
	}
	var e entry
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&e); err != nil {
		return entry{}, fmt.Errorf("this line cannot be read (a newer K8Guard wrote it, or it was changed): %w", err)
	}
	if decoder.More() {
		return entry{}, errors.New("this line holds more than one thing; " + again)
	}
	n := 0
	for _, is := range []bool{e.Header != nil, e.Docket != nil, e.Line != nil, e.Record != nil, e.End != nil} {
		if is {
			n++
		}
	}
	if n != 1 {
		return entry{}, fmt.Errorf("this line holds %d things, and should hold one; %s", n, again)
	}
	return e, nil
}

func (r *reader) text() ([]byte, error) {
	r.line++
	var text []byte
	for {
		part, err := r.in.ReadSlice('\n')
		text = append(text, part...)
		switch {
		case len(text) > maxLine:
			return nil, fmt.Errorf("this line is longer than %d bytes; %s", maxLine, again)
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF):
			return nil, errors.New("the file ends here, before its end was written: it was cut off; " + again)
		case err != nil:
			return nil, err
		}
		_, _ = r.sum.Write(text)
		return text, nil
	}
}
