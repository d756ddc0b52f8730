package sqsqueue

import (
	"hash/fnv"
	"strconv"

	"github.com/postino/postino/shared/queue"
)

// shardsPerOwner is in how many message groups the groups of one owner share a
// queue. SQS holds a group back that has more than a tenth of what is in flight,
// or of the consumers' time. An owner of hundreds of small groups would never
// be noticed; as four, each of which has about a quarter of what it takes, it
// is, from two fifths of the queue on at the latest. A group of the owner's that
// hangs meanwhile delays a quarter of the others, not all.
const shardsPerOwner = 4

// fairGroup returns the message group for a group: an owner's own is kept, the
// others become one of the owner's shards.
func fairGroup(group string) string {
	owner := queue.Owner(group)
	if owner == group {
		return group
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(group)) // never fails
	return owner + "/" + strconv.Itoa(int(h.Sum32()%shardsPerOwner))
}
