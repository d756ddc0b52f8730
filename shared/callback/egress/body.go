package egress

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// body is what follows the headers of an answer. When it was read to its end,
// its connection is kept.
type body struct {
	from     io.ReadCloser
	conn     *connection
	ctx      context.Context
	stop     func() bool
	reusable bool
	ended    sync.Once
	closed   atomic.Bool
}

func (b *body) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	n, err := b.from.Read(p)
	if err == nil {
		return n, nil
	}
	b.end(errors.Is(err, io.EOF))
	if err != io.EOF && b.ctx.Err() != nil {
		err = context.Cause(b.ctx)
	}
	return n, err
}

// Close closes the connection, unless the whole body was read. Another goroutine
// may read meanwhile.
func (b *body) Close() error {
	b.closed.Store(true)
	b.end(false)
	return nil
}

// end gives the connection back, or closes it.
func (b *body) end(whole bool) {
	b.ended.Do(func() {
		inTime := b.stop() // otherwise a deadline is about to be set
		if whole && inTime && b.reusable && b.conn.answer.Buffered() == 0 {
			b.conn.kept.put(b.conn)
			return
		}
		_ = b.conn.Close()
	})
}
