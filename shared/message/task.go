package message

import (
	"time"

	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// Task is a message to the delivery stage.
type Task interface {
	Message
	// Ref names the subscription whose state is read before the task is done.
	// Its ID is "" if the task needs none.
	Ref() webhook.SubscriptionRef
}

// Queued is a task as a message of a queue, in the group of its subscription,
// or of its tenant if it is of none. It is delivered after the delay, or after
// [queue.MaxDelay] if that is shorter.
func Queued(t Task, delay time.Duration) queue.Message {
	group, ref := "", t.Ref()
	if group = ref.Tenant; ref.ID != "" {
		group = SubscriptionGroup(ref.Tenant, ref.ID)
	}
	return queue.Message{Group: group, Body: t.Encode(), Delay: min(max(0, delay), queue.MaxDelay)}
}

// SubscriptionGroup is the group of a subscription's messages, whose owner is
// the tenant: fair turns are taken between tenants, then between subscriptions.
// A subscription's name that is too long beside its tenant's is hashed.
func SubscriptionGroup(tenant, subscription string) string {
	if len(tenant)+1+len(subscription) > queue.MaxGroup {
		return tenant + "/" + webhook.Hash(20, "group", tenant, subscription)
	}
	return tenant + "/" + subscription
}
