package httpapi

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Intake limits what the requests of one process use at once, so that Postino
// refuses a flood early. Only requests with a known key use anything. A tenant gets
// more only if it leaves at least as much free as it already has: half if it is
// alone, a quarter beside a greedy tenant, and so on. So there is always something
// left. The nil Intake and the zero Intake have no limits. It is safe for
// concurrent use.
type Intake struct {
	Requests int // being answered; 0 means no limit; one tenant gets a quarter
	Bytes    int // of bodies, as they arrive; 0 means no limit
	// Admitted is told of each request that brings a key that is known; nil is not.
	Admitted func(context.Context)

	mu       sync.Mutex
	requests account
	bytes    account
}

// account is how much of something is held, and by which tenant; requests of no
// tenant are those of "".
type account struct {
	held     int
	byTenant map[string]int
}

// verdict is whether there is room, and if not who is to blame.
type verdict int

const (
	room        verdict = iota
	tenantsFull         // the tenant has more than an even share
	allFull
)

// judge decides on n more for a request of the tenant that holds mine already.
// One that is alone always has room.
func (a *account) judge(tenant string, mine, n, limit int) verdict {
	own := a.byTenant[tenant] + n
	switch {
	case limit == 0 || a.held == mine || own <= limit-a.held-n:
		return room
	case a.byTenant[tenant] > 0 && own*len(a.byTenant) >= a.held+n:
		return tenantsFull
	}
	return allFull
}

// add counts n more for the tenant, or less.
func (a *account) add(tenant string, n int) {
	if a.byTenant == nil {
		a.byTenant = map[string]int{}
	}
	a.held += n
	if a.byTenant[tenant] += n; a.byTenant[tenant] == 0 {
		delete(a.byTenant, tenant)
	}
}

// intakeAfter is when a caller should come back: what is in hand takes
// milliseconds.
const intakeAfter = time.Second

// enter reserves the place of one request until leave returns it: 429 for a
// tenant that holds too many, else 503.
func (in *Intake) enter(tenant string) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	verdict := in.requests.judge(tenant, 0, 1, in.Requests)
	if own := in.requests.byTenant[tenant]; in.Requests > 0 && own >= max(1, in.Requests/4) {
		verdict = tenantsFull
	}
	switch verdict {
	case tenantsFull:
		return TenantIntakeFull.Problem("This tenant has too many requests in progress. Send fewer at once.").After(intakeAfter)
	case allFull:
		return Overloaded.Problem("The server has too many requests in progress. Retry later.").After(intakeAfter)
	}
	in.requests.add(tenant, 1)
	return nil
}

func (in *Intake) leave(tenant string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.requests.add(tenant, -1)
}

// take reserves room for n bytes more of a body that holds mine, until give
// returns it, if there is room for what is going to follow too: 429 for a tenant
// that holds too much, else 503.
func (in *Intake) take(tenant string, mine, n, follow int) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch in.bytes.judge(tenant, mine, n+follow, in.Bytes) {
	case tenantsFull:
		return TenantIntakeFull.Problem("The request bodies of this tenant are too large in total. Send fewer requests at once.").After(intakeAfter).
			Because(fmt.Errorf("bodies of %s hold %d bytes", tenant, in.bytes.byTenant[tenant]))
	case allFull:
		return Overloaded.Problem("The server has no memory left for request bodies. Retry later.").After(intakeAfter).
			Because(fmt.Errorf("bodies hold %d bytes", in.bytes.held))
	}
	in.bytes.add(tenant, n)
	return nil
}

func (in *Intake) give(tenant string, n int) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.bytes.add(tenant, -n)
}
