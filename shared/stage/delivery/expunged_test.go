package delivery_test

import (
	"testing"
	"time"

	"github.com/postino/postino/shared/webhook"
)

// An attempt that is under way when its event is expunged records the body
// again. Its retry must not send that.
func TestARetryOfWhatWasExpungedDuringAnAttemptSendsNothing(t *testing.T) {
	onEachStore(t, func(t *testing.T, y *yard) {
		s := y.subscribe("s", nil)
		y.answers = func(string) int {
			if err := y.store.ExpungeEvent(t.Context(), "acme", "/tenants/acme", "e1"); err != nil {
				t.Error(err)
			}
			return 500
		}
		id := y.occur(s, 1)
		y.play(noon.Add(2 * time.Hour))
		y.wantEnd("expunged during its first attempt", id, webhook.Canceled, webhook.ReasonExpired)
		if posts := y.takePosts("/s"); len(posts) != 1 {
			t.Errorf("posted %d times, want once, before it was expunged", len(posts))
		}
	})
}
