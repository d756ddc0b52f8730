package e2e

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// do makes one call of a fault's story.
func (p *player) do(call string, status int, body string) {
	p.t.Helper()
	s := step{Call: call, Status: status}
	if body != "" {
		s.Body = []byte(body)
	}
	if method, _, _ := strings.Cut(call, " "); method == http.MethodPut {
		s.Secret = "/hook"
	}
	if why := p.call(p.t.Context(), s); why != "" {
		p.t.Fatal(why)
	}
}

// begin subscribes /hook to everything.
func begin(t *testing.T, on system, answers ...answer) *player {
	t.Helper()
	p := &player{t: t, system: on, receiver: newReceiver(t), names: names{}, counts: map[string]int{}}
	p.names["receiver"] = p.receiver.URL
	p.receiver.answer(map[string][]answer{"/hook": answers})
	p.do("PUT /v1/tenants/acme/subscriptions/s", http.StatusCreated, `{"url": "$receiver/hook"}`)
	return p
}

// publish publishes n events in one request, e1 if from is 1, and so on.
func (p *player) publish(from, n int) {
	p.t.Helper()
	var list []string
	for i := from; i < from+n; i++ {
		list = append(list, fmt.Sprintf(`{"type": "a.b", "id": "e%d", "data": {"n": %d}}`, i, i))
	}
	p.do("POST /v1/tenants/acme/events", http.StatusAccepted, "["+strings.Join(list, ",")+"]")
}

// await fails the test unless look finds nothing wrong in time.
func (p *player) await(look func() string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if why := eventually(ctx, look); why != "" {
		p.t.Fatal(why)
	}
}

// succeeded tells why not each event's delivery has succeeded.
func (p *player) succeeded(events int) string {
	for i := range events {
		if why := p.succeededOne(i); why != "" {
			return why
		}
	}
	return ""
}

// succeededOne tells why not the delivery of an event has.
func (p *player) succeededOne(i int) string {
	s := step{Call: fmt.Sprintf("GET /v1/tenants/acme/deliveries?event=e%d", i), Status: http.StatusOK, Want: parse([]byte(`{"data":[{"status":"succeeded"}]}`))}
	return p.call(p.t.Context(), s)
}

// A process that is killed in the middle of a batch has told nobody what it
// did: the whole batch comes again when its visibility timeout is over.
func TestABatchWhoseProcessIsKilledIsDeliveredWithTheSameIdsAndBodies(t *testing.T) {
	t.Parallel()
	const events = 8
	on := deploy(t, settings{visibility: 2 * time.Second})
	p := begin(t, on, answer{Status: http.StatusNoContent, Delay: duration(time.Minute)})
	p.publish(0, events)
	p.await(func() string {
		if n := len(p.receiver.at("/hook")); n == 0 {
			return "no callback yet"
		}
		return ""
	})
	on.functions["Delivery"].kill() // while the receiver has not answered
	p.receiver.answer(map[string][]answer{"/hook": {{Status: http.StatusNoContent}}})
	p.await(func() string { return p.succeeded(events) })
	all := p.receiver.at("/hook")
	if why := sameBodies(all, events); why != "" {
		t.Error(why)
	}
	if len(all) <= events {
		t.Errorf("%d callbacks of %d events: the kill came too late to prove anything", len(all), events)
	}
	if why := p.receiver.forged(); why != "" {
		t.Error(why)
	}
	if dead := on.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
}

func TestFunctionsThatAreKilledOverAndOverLoseNothing(t *testing.T) {
	t.Parallel()
	const rounds, each = 8, 6
	on := deploy(t, settings{visibility: 2 * time.Second})
	p := begin(t, on, answer{Status: http.StatusNoContent, Delay: duration(20 * time.Millisecond)})
	for i := range rounds {
		p.publish(i*each, each)
		p.await(func() string { // somebody at work
			if len(p.receiver.at("/hook")) > i*each/2 {
				return ""
			}
			return "no callback yet"
		})
		on.functions["Fanout"].kill()
		on.functions["Delivery"].kill()
	}
	p.await(func() string { return p.succeeded(rounds * each) })
	if why := sameBodies(p.receiver.at("/hook"), rounds*each); why != "" {
		t.Error(why)
	}
	if n := on.functions["Delivery"].starts; n < rounds/2 {
		t.Errorf("delivery was started %d times: the kills came too late to prove anything", n)
	}
	if dead := on.dead(); len(dead) > 0 {
		t.Errorf("dead letters: %v", dead)
	}
}

// What no stage wrote comes again until the queue sets it aside. Its
// neighbours in the batch are delivered, once.
func TestPoisonEndsInTheDeadLetterQueueAndHurtsNoNeighbour(t *testing.T) {
	t.Parallel()
	const events = 4 // with the poison no more than a batch
	on := deploy(t, settings{visibility: 5 * time.Second, maxReceive: 2, asleep: true})
	poison := []string{"{\"kind\":\"no such kind\"}", "neither JSON nor base64", "zH4sIAAAA", "bRAUBAgM="}
	for _, queue := range []string{"Events", "Deliveries", "Retries"} {
		on.send(queue, poison...)
	}
	p := begin(t, on, answer{Status: http.StatusNoContent})
	p.publish(0, events) // behind the poison, so in a batch with it
	on.warm("Fanout", "Delivery")
	on.wake("Fanout")
	p.await(func() string {
		if got, want := on.visible("Deliveries"), len(poison)+1; got != want { // one message with the first attempts of all
			return fmt.Sprintf("%d messages in deliveries, want %d", got, want)
		}
		return ""
	})
	on.wake("Delivery") // one batch holds them all
	p.await(func() string { return p.succeeded(events) })
	p.await(func() string {
		for _, queue := range []string{"EventsDead", "DeliveriesDead", "RetriesDead"} {
			if got := on.visible(queue); got != len(poison) {
				return fmt.Sprintf("%s has %d messages, want %d", queue, got, len(poison))
			}
		}
		return ""
	})
	if n := len(p.receiver.at("/hook")); n != events {
		t.Errorf("%d callbacks, want %d", n, events)
	}
}

// warm starts functions, so that no visibility timeout ends meanwhile.
func (s *stack) warm(functions ...string) {
	s.t.Helper()
	for _, f := range functions {
		if _, err := s.functions[f].invoke(s.t.Context(), []byte(`{"Records":[]}`)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// send puts bodies into a queue, as they are.
func (s *stack) send(queue string, bodies ...string) {
	s.t.Helper()
	url := s.queues[queue]
	var entries []types.SendMessageBatchRequestEntry
	for i, body := range bodies {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(fmt.Sprint(i)), MessageBody: &body})
	}
	out, err := s.sqs.SendMessageBatch(s.t.Context(), &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries})
	if err != nil || len(out.Failed) > 0 {
		s.t.Fatalf("send to %s: %v, %d failed", queue, err, len(out.Failed))
	}
}
