package ingest

import (
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// pack writes events into as few messages as [message.MaxPack] allows, in
// order, and returns how many events each message holds. The group is the
// tenant, so that one tenant's flood waits behind its own. Several messages say
// which part of the array each is.
func pack(tenant string, events []webhook.Event) (messages []queue.Message, sizes []int) {
	body, n := append(make([]byte, 0, room(events)), byte(message.KindPack)), 0
	end := func() {
		messages = append(messages, queue.Message{Body: body, Group: tenant})
		sizes = append(sizes, n)
	}
	for _, e := range events {
		before := len(body)
		body = message.AppendEvent(body, e)
		if n > 0 && len(body) > message.MaxPack {
			next := append([]byte{byte(message.KindPack)}, body[before:]...)
			body = body[:before:before]
			end()
			body, n = next, 0
		}
		n++
	}
	end()
	if len(messages) > 1 {
		part(messages, sizes, events[0].Nonce)
	}
	return messages, sizes
}

// part makes packs parts of the array of that name.
func part(messages []queue.Message, sizes []int, name string) {
	first := 0
	for i, m := range messages {
		head := message.Pack{Request: name, First: first, Last: i == len(messages)-1}.Head()
		messages[i].Body = append(head, m.Body[1:]...) // behind the kind
		first += sizes[i]
	}
}

// usualEnvelope is about how much an event's envelope takes in a message, in
// bytes, with a subject and ids of ours.
const usualEnvelope = 320

// room is about what the first message of events takes.
func room(events []webhook.Event) int {
	n := 1
	for _, e := range events {
		if n += len(e.Data) + usualEnvelope; n > message.MaxPack {
			break
		}
	}
	return n
}
