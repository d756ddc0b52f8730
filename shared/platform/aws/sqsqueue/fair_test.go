package sqsqueue

import (
	"fmt"
	"strings"
	"testing"

	"github.com/postino/postino/shared/queue"
)

// TestAnOwnersGroupsAreAFewOfTheQueues: with many more groups a greedy owner
// would stay below the share that SQS notices.
func TestAnOwnersGroupsAreAFewOfTheQueues(t *testing.T) {
	const many = 1000
	shards := map[string]int{}
	for i := range many {
		shards[fairGroup(fmt.Sprint("acme/subscription-", i))]++
	}
	if len(shards) != shardsPerOwner {
		t.Errorf("%d groups of one owner are %d on the queue, want %d", many, len(shards), shardsPerOwner)
	}
	for shard, n := range shards {
		if n < many/10 || queue.Owner(shard) != "acme" {
			t.Errorf("group %s stands for %d of %d, want a tenth or more, and the same owner", shard, n, many)
		}
	}
}

func TestEveryGroupThatIsTakenMakesOneThatSQSTakes(t *testing.T) {
	long := strings.Repeat("t", 64)
	for _, group := range []string{"g", "acme", "acme/s", long + "/" + long[:63], "/x", "a/b/c"} {
		m := queue.Message{Group: fairGroup(group), Body: []byte("x")}
		if err := m.Check(); err != nil || queue.Owner(m.Group) != queue.Owner(group) {
			t.Errorf("%q is sent as %q, %v, want a valid group of the same owner", group, m.Group, err)
		}
	}
	for _, group := range []string{"acme", "group"} {
		if got := fairGroup(group); got != group {
			t.Errorf("%q is sent as %q, want it as it is", group, got)
		}
	}
}
