package e2e

import (
	"bytes"
	"sync"
)

// logbook keeps what processes wrote, for when a test fails.
type logbook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// billed is what CloudWatch bills for what was written, in bytes: each line's
// and 26 more.
func (l *logbook) billed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Len() + 26*bytes.Count(l.text.Bytes(), []byte("\n"))
}

func (l *logbook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String is the last of what was written.
func (l *logbook) String() string {
	const enough = 16 << 10
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.text.Bytes()
	return string(text[max(0, len(text)-enough):])
}
