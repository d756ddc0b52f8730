package outbox

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// bundle is a message on its way to a queue. Where requests to the queue are
// paid for, one message carries several first attempts of one subscription, which
// have one group and one subscriber, or the few that a tenant has. So none waits
// behind a stranger.
type bundle struct {
	queue.Message
	parts  [][]byte // the first attempts, if there are several
	owners []int    // places in the batch of the messages that it is sent for
}

// maxBundle is the size in bytes beyond which a message takes no further first
// attempt: what SQS bills as one request.
const maxBundle = 64 << 10

// bundles makes messages that are sent for the one at owner's place.
func bundles(owner int, messages []queue.Message) []bundle {
	list := make([]bundle, len(messages))
	for i, m := range messages {
		list[i] = bundle{Message: m, owners: []int{owner}}
	}
	return list
}

// bundled puts up to limit first attempts of one subscription into one message.
// Those whose outcomes are kept together stay together, if they fit: the store
// is then written once for all of them. If a tenant has no more first attempts
// than that, all of them share one message: then there is hardly anything for
// them to wait behind. The order of messages stays.
func bundled(list []bundle, limit int) []bundle {
	if limit < 2 {
		return list
	}
	parts := map[string]int{} // by tenant
	for _, p := range list {
		parts[message.TenantOf(p.Body)]++
	}
	var out []bundle
	open := map[string]int{} // where the unfinished bundle of a subscription, or of a tenant, is
	for _, p := range together(list, limit) {
		sharers := p.Group
		if tenant := message.TenantOf(p.Body); parts[tenant] <= limit {
			sharers = "all of " + tenant
		}
		i, ok := open[sharers]
		switch {
		case p.parts == nil:
			out = append(out, p)
		case ok && out[i].fits(p, limit):
			out[i].parts = append(out[i].parts, p.parts...)
			out[i].owners = append(out[i].owners, p.owners...)
		default:
			open[sharers] = len(out)
			out = append(out, p)
		}
	}
	return out
}

// together makes bundles of first attempts whose outcomes are kept together.
// What is no first attempt has no parts.
func together(list []bundle, limit int) (out []bundle) {
	type kept struct {
		subscription string
		group        webhook.Group
	}
	open := map[kept]int{}
	for _, p := range list {
		if p.Delay > 0 || message.KindOf(p.Body) != message.KindFirstAttempt {
			out = append(out, p)
			continue
		}
		p.parts = [][]byte{p.Body}
		key := kept{p.Group, message.GroupOf(p.Body)}
		if i, ok := open[key]; ok && key.group != 0 && out[i].fits(p, limit) {
			out[i].parts = append(out[i].parts, p.Body)
			out[i].owners = append(out[i].owners, p.owners...)
			continue
		}
		open[key] = len(out)
		out = append(out, p)
	}
	return out
}

// fits reports whether what another bundle holds has room.
func (b bundle) fits(other bundle, limit int) bool {
	size := 0
	for _, part := range slices.Concat(b.parts, other.parts) {
		size += len(part)
	}
	return len(b.parts)+len(other.parts) <= limit && size <= maxBundle
}

func messagesOf(list []bundle) []queue.Message {
	messages := make([]queue.Message, len(list))
	for i, p := range list {
		messages[i] = p.Message
		if len(p.parts) > 1 {
			messages[i].Body = message.FirstAttempts(p.parts).Encode()
		}
	}
	return messages
}

// FlushTogether sends what several outboxes of one queue hold, together, but for
// those that have failed. What was not sent is the failure of those that it was of.
func FlushTogether(ctx context.Context, boxes []*Outbox, errs []error) {
	var all []bundle
	var to *Outbox
	for i, o := range boxes {
		if errs[i] == nil {
			to, all = o, append(all, bundles(i, o.queue)...)
		}
	}
	if to != nil {
		send(ctx, to.To, bundled(all, to.Bundle), errs)
	}
}

func send(ctx context.Context, to Sender, list []bundle, errs []error) {
	if len(list) == 0 {
		return
	}
	err := to.Send(ctx, messagesOf(list))
	if err == nil {
		return
	}
	var unsent *queue.Unsent
	if errors.As(err, &unsent) {
		left := make([]bundle, len(unsent.Indexes))
		for i, index := range unsent.Indexes {
			left[i] = list[index]
		}
		list = left
	}
	for _, p := range list {
		for _, owner := range p.owners {
			errs[owner] = fmt.Errorf("queue: %w", err)
		}
	}
}
