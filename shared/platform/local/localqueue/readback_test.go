package localqueue

import (
	"fmt"
	"testing"
)

// TestAnOwnerReadsBackHalfOfTheGroupsAtMost: while an owner with many groups on
// the disk asks for all of them, another one's group is read back with the next.
func TestAnOwnerReadsBackHalfOfTheGroupsAtMost(t *testing.T) {
	set := &Set{limit: defaultMemory, byOwner: map[string]int{}}
	q := newQueue(set, "q", QueueConfig{})
	q.loading = true // so that what is asked for stays asked for
	asked := 0
	for i := range 10 * loadGroups {
		if q.readBack(q.group(fmt.Sprint("greedy/", i))) {
			asked++
		}
	}
	if asked != loadGroups/2 {
		t.Errorf("%d groups of the greedy owner are read together, want half of %d", asked, loadGroups)
	}
	if !q.readBack(q.group("modest/s")) {
		t.Error("the other owner's group is not read with them")
	}
}
