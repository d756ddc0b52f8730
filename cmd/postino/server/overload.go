package server

import (
	"time"

	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/stage/ingest"
)

// What the process holds for callers at most. A connection takes some 10 KB,
// a body in hand up to five times its size while it is read and checked.
const (
	maxConnections = 4096
	maxRequests    = 2048
	maxBodies      = 64 << 20
)

// DefaultMaxBacklog is how many messages may wait before publishers are told
// to come back: some gigabytes of database.
const DefaultMaxBacklog = 1_000_000

// countEvery is how long a count of the backlog is good for.
const countEvery = 100 * time.Millisecond

func newIntake() *httpapi.Intake {
	return &httpapi.Intake{Requests: maxRequests, Bytes: maxBodies, Admitted: admitted}
}

// limit bounds what waits in the queues that publishing fills.
func (s *Server) limit() *ingest.Limit {
	l := &ingest.Limit{Messages: s.config.MaxBacklog, Every: countEvery}
	for _, name := range []string{"events", "deliveries", "retries"} {
		q := s.byName[name]
		l.Queues, l.Shares = append(l.Queues, q), append(l.Shares, q)
	}
	return l
}
