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
