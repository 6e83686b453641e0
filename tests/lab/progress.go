package lab

import (
	"bytes"
	"io"
	"sync"
)

// lines lets nodes report at the same time without mixing their lines. One Write is one or more whole lines.
type lines struct {
	mu sync.Mutex
	to io.Writer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.to.Write(p)
}

// prefixed passes whole lines on, each behind a prefix. A last line without an end comes with flush.
type prefixed struct {
	prefix string
	to     io.Writer
	begun  []byte
}

func (p *prefixed) Write(b []byte) (int, error) {
	p.begun = append(p.begun, b...)
	for {
		i := bytes.IndexByte(p.begun, '\n')
		if i < 0 {
			return len(b), nil
		}
		if err := p.line(p.begun[:i]); err != nil {
			return 0, err
		}
		p.begun = p.begun[i+1:]
	}
}

func (p *prefixed) flush() {
	if len(p.begun) > 0 {
		_ = p.line(p.begun) // the last words of a script; there is nobody to tell that they are lost
		p.begun = nil
	}
}

func (p *prefixed) line(text []byte) error {
	_, err := io.WriteString(p.to, p.prefix+string(text)+"\n")
	return err
}
