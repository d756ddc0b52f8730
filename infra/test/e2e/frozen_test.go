package e2e

import (
	"net/http"
	"testing"
	"time"
)

// Lambda stops a container as soon as it has answered, for hours perhaps, and
// ends it without a word. What was to be done later is not done.
func TestContainersThatAreFrozenAndEndedLoseNothing(t *testing.T) {
	t.Parallel()
	const rounds, each = 4, 10
	on := deploy(t, settings{visibility: 5 * time.Second, containers: 10, frozen: true})
	p := begin(t, on, answer{Status: http.StatusServiceUnavailable}, answer{Status: http.StatusNoContent})
	p.do("PATCH /v1/tenants/acme/subscriptions/s", http.StatusOK, `{"retry": {"schedule": ["1s", "1s", "1s"]}}`)
	for i := range rounds {
		p.publish(i*each, each)
		p.await(func() string { // each container has slept
			for j := range each {
				if why := p.succeededOne(i*each + j); why != "" {
					return why
				}
			}
			return ""
		})
		if i%2 == 0 {
			on.functions["Fanout"].kill()
			on.functions["Delivery"].kill()
		}
	}
	if why := sameBodies(p.receiver.at("/hook"), rounds*each); why != "" {
		t.Error(why)
	}
	if dead := on.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
}
