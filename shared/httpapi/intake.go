package httpapi

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Intake bounds what the requests of one process hold in memory at a time, so
// that a flood is refused early instead of slowing everything down. The nil
// Intake and the zero Intake bound nothing. It is safe for concurrent use.
type Intake struct {
	Requests int // being answered; beyond that 503; 0 means no limit; one tenant gets a quarter
	Bytes    int // of bodies, by their announced length; 0 means no limit; one tenant gets half

	mu       sync.Mutex
	requests int
	bytes    int
	byTenant map[string]int // bytes
	inside   map[string]int // requests
}

// intakeAfter is when a caller should come back: what is in hand takes
// milliseconds.
const intakeAfter = time.Second

// Bound returns a handler that answers 503 while as many requests as there may
// be are being answered by next.
func (in *Intake) Bound(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !in.enter() {
			write(w, r, errorResponse(Overloaded.Problem("Too many requests at a time.").After(intakeAfter)))
			return
		}
		defer in.leave()
		next.ServeHTTP(w, r)
	})
}

func (in *Intake) enter() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.Requests > 0 && in.requests >= in.Requests {
		return false
	}
	in.requests++
	return true
}

func (in *Intake) leave() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.requests--
}

// enterAs counts a request among those of its tenant until leaveAs: 429 beyond
// the tenant's quarter. The slots of those whose key is not known yet are
// nobody's.
func (in *Intake) enterAs(tenant string) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if own := in.inside[tenant]; in.Requests > 0 && own >= max(1, in.Requests/4) {
		return TenantIntakeFull.Problem("This tenant has too many requests at a time.").After(intakeAfter).
			Because(fmt.Errorf("%s has %d requests", tenant, own))
	}
	if in.inside == nil {
		in.inside = map[string]int{}
	}
	in.inside[tenant]++
	return nil
}

func (in *Intake) leaveAs(tenant string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.inside[tenant]--; in.inside[tenant] == 0 {
		delete(in.inside, tenant)
	}
}

// take reserves room for a body until give returns it: 429 beyond the tenant's
// half, 503 beyond the whole. A body that is alone always has room.
func (in *Intake) take(tenant string, n int) error {
	if in == nil || in.Bytes == 0 {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	switch own := in.byTenant[tenant]; {
	case own > 0 && own+n > in.Bytes/2:
		return TenantIntakeFull.Problem("This tenant has sent too much at a time.").After(intakeAfter).
			Because(fmt.Errorf("bodies of %s hold %d bytes", tenant, own))
	case in.bytes > 0 && in.bytes+n > in.Bytes:
		return Overloaded.Problem("Too much has been sent at a time.").After(intakeAfter).Because(fmt.Errorf("bodies hold %d bytes", in.bytes))
	}
	if in.byTenant == nil {
		in.byTenant = map[string]int{}
	}
	in.byTenant[tenant] += n
	in.bytes += n
	return nil
}

func (in *Intake) give(tenant string, n int) {
	if n == 0 {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bytes -= n
	if in.byTenant[tenant] -= n; in.byTenant[tenant] == 0 {
		delete(in.byTenant, tenant)
	}
}
