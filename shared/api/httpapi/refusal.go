package httpapi

import (
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// maxRefusalLines is how many refused keys are logged in one second: whoever
// tries keys must not fill the log. All are counted.
const maxRefusalLines = 10

// refusals counts the lines of the present second.
type refusals struct {
	mu             sync.Mutex
	second         int64
	lines, skipped int
}

// line reports whether one more line may be logged, and how many were not since
// the last.
func (f *refusals) line(now time.Time) (skipped int, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if second := now.Unix(); second != f.second {
		f.second, f.lines = second, 0
	}
	if f.lines == maxRefusalLines {
		f.skipped++
		return 0, false
	}
	f.lines++
	skipped, f.skipped = f.skipped, 0
	return skipped, true
}

// refuses reports whether a problem means that a key was missing, not known, or
// not one that may do this.
func refuses(p *Problem) bool {
	return p.Status == http.StatusUnauthorized || p.Code == RoleNotAllowed.name || p.Code == TenantNotFound.name
}

// noteRefusal counts and logs that a key was refused. Nothing of the key is
// noted but whose it is, if it is known, nor of the path, which a stranger chose.
func (rt *Router) noteRefusal(r *Request, route Route, err error) {
	var p *Problem
	if !errors.As(err, &p) || !refuses(p) {
		return
	}
	if rt.Refused != nil {
		rt.Refused()
	}
	skipped, ok := rt.refusals.line(time.Now())
	if !ok {
		return
	}
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		from = r.RemoteAddr // API Gateway tells no port
	}
	rt.log.LogAttrs(r.Context(), slog.LevelWarn, "key refused", slog.String("route", route.Method+" "+route.Pattern),
		slog.Int("status", p.Status), slog.String("code", p.Code), slog.String("from", from), slog.String("tenant", r.Principal.Tenant), slog.Int("skipped", skipped))
}
