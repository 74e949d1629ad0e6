package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
)

// LoadPlaces reads data.dir and report.socket alone, as far as they can be understood; all
// else keeps its default. It is for who asks a K8Guard that runs: what is wrong with a file
// that it has not taken over must not keep anyone from a freeze. wrong says what was passed
// over; the error is of a file that cannot be read, or of Set, which was written just now.
func LoadPlaces(s Source) (c Config, wrong, err error) {
	var data []byte
	if s.File != "" {
		if data, err = os.ReadFile(s.File); err != nil {
			return Config{}, nil, fmt.Errorf("read the configuration: %w; name a readable file with --config, or the socket with --socket", err)
		}
	}
	file, env, set := newLoader(s.File), newLoader(s.File), newLoader(s.File)
	read := Default()
	file.parts(data, &read)
	env.old(s.Env, s.Rules, &read)
	env.env(s.Env, &read)
	set.set(s.Set, &read)
	c = Default()
	c.Data.Dir, c.Report.Socket = read.Data.Dir, read.Report.Socket
	return c, errors.Join(append(file.errs, env.errs...)...), errors.Join(set.errs...)
}

// parts reads the document; where it is not YAML as a whole, each key of its first column by
// itself, so that a mistake below one of them hides none of the others.
func (l *loader) parts(data []byte, into *Config) {
	whole := newLoader(l.file)
	whole.document(data, into)
	l.errs = append(l.errs, whole.errs...)
	if len(whole.origin) > 0 || len(whole.errs) == 0 {
		return
	}
	begin := 0
	for i := 0; i < len(data); {
		end := len(data)
		if n := bytes.IndexByte(data[i:], '\n'); n >= 0 {
			end = i + n + 1
		}
		if i > begin && bytes.IndexByte([]byte(" \t\r\n#-}]"), data[i]) < 0 {
			newLoader(l.file).document(data[begin:i], into)
			begin = i
		}
		i = end
	}
	newLoader(l.file).document(data[begin:], into)
}
