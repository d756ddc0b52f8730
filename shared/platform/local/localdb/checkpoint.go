package localdb

import (
	"sync"
	"time"
)

// Sizes of the write-ahead log, in pages of 4 KiB.
const (
	checkpointAt = 4000  // 16 MiB: copy it into the file, beside the writer
	restartAt    = 32000 // 128 MiB: the writer helps, whatever that takes
)

// restartTimeout is how long the restart of the log waits for readers of its
// old pages, and the writers with it.
const restartTimeout = 100 * time.Millisecond

// checkpointer copies the log into the file on a connection of its own. When
// it has, the writer copies the few pages that came meanwhile and starts the
// log again from its beginning.
type checkpointer struct {
	path string

	mu    sync.Mutex
	state checkpointState
	runs  sync.WaitGroup
	conn  *conn
	next  int // frames from which the next round begins
}

type checkpointState int

const (
	logSmall  checkpointState = iota
	logCopied                 // by the background, up to a while ago
	logCopying
)

func startCheckpointer(path string) *checkpointer { return &checkpointer{path: path} }

// afterCommit is called by the writer between two transactions.
func (p *checkpointer) afterCommit(db *DB) {
	frames := db.log.frames()
	if frames < checkpointAt {
		p.next = checkpointAt // the log has begun again
	}
	if frames < p.next {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.state == logCopied || frames >= p.next+restartAt:
		p.restart(db.write)
		p.state, p.next = logSmall, frames+checkpointAt
	case p.state == logSmall:
		p.state = logCopying
		p.runs.Go(p.copy)
	}
}

// restart copies the rest and lets the next transaction begin the log again,
// unless somebody still reads old pages: then the next round does.
func (p *checkpointer) restart(writer *conn) {
	writer.SetBusyTimeout(restartTimeout)
	defer writer.SetBusyTimeout(busyTimeout)
	_ = writer.run("PRAGMA wal_checkpoint(RESTART)") // an error leaves the log as it is
}

// copy copies what no reader needs any more. An error, as of a full disk,
// leaves the log as it is: the next round tries again.
func (p *checkpointer) copy() {
	if p.conn == nil {
		p.conn, _ = openConn(p.path, "PRAGMA synchronous = NORMAL")
	}
	if p.conn != nil {
		_ = p.conn.run("PRAGMA wal_checkpoint(PASSIVE)")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state = logCopied
}

// stop waits for a copy that runs.
func (p *checkpointer) stop() {
	p.runs.Wait()
	if p.conn != nil {
		_ = p.conn.close()
	}
}
