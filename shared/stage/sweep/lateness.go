package sweep

import (
	"sync/atomic"
	"time"
)

// lateness is how late the latest pointer was since it was last asked for. It
// is safe for concurrent use.
type lateness struct{ most atomic.Int64 }

func (l *lateness) note(late time.Duration) {
	for {
		most := l.most.Load()
		if int64(late) <= most || l.most.CompareAndSwap(most, int64(late)) {
			return
		}
	}
}

func (l *lateness) take() time.Duration { return time.Duration(l.most.Swap(0)) }
