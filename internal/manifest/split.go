package manifest

import "bytes"

// document is the text between two "---" lines. offset is the number of lines before it,
// line that of its first content, from 1.
type document struct {
	text   []byte
	offset int
	line   int
}

// split cuts at the document markers by hand, where a YAML decoder would stop at the first
// broken document. Documents without content are left out.
func split(data []byte) []document {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var docs []document
	start, offset, number, content := 0, 0, 0, 0
	flush := func(end int) {
		if content > 0 {
			docs = append(docs, document{text: data[start:end], offset: offset, line: content})
		}
	}
	for at := 0; at < len(data); {
		end := len(data)
		if i := bytes.IndexByte(data[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		line := bytes.TrimRight(data[at:end], "\r\n")
		number++
		switch {
		case marker(line):
			flush(at)
			start, offset, content = at, number-1, 0
			if rest := bytes.TrimSpace(line[3:]); len(rest) > 0 && rest[0] != '#' {
				content = number
			}
		case content == 0 && hasContent(line):
			content = number
		}
		at = end
	}
	flush(len(data))
	return docs
}

func marker(line []byte) bool {
	return bytes.HasPrefix(line, []byte("---")) && (len(line) == 3 || line[3] == ' ' || line[3] == '\t')
}

func hasContent(line []byte) bool {
	trimmed := bytes.TrimSpace(line)
	return len(trimmed) > 0 && trimmed[0] != '#' && string(trimmed) != "..."
}
