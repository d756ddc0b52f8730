package main

import (
	"errors"
	"strings"
	"testing"

	postino "github.com/postino/postino/sdk/go"
	"github.com/postino/postino/sdk/go/postinotest"
	"github.com/postino/postino/verify"
)

// shop is a Postino that reminds of orders an hour after they were made.
type shop struct {
	*postinotest.Local
	client *postino.Client
	hook   *postinotest.Receiver
	secret string
}

func open(t *testing.T, answer func(postinotest.Callback) int) *shop {
	s := &shop{Local: postinotest.Start(t), hook: postinotest.Receive(t)}
	s.client, s.hook.Answer = s.Client("acme"), answer
	made, err := s.client.CreateSubscription(t.Context(), postino.SubscriptionInput{
		Url:   postino.To(s.hook.URL),
		Types: &[]string{"order.created"},
		Trigger: &postino.Trigger{
			Key: postino.To[any]("subject"), Delay: postino.To("1h"),
			Cancel: &[]postino.CancelClause{{Types: &[]string{"order.paid"}}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.secret = made.Secret
	return s
}

func (s *shop) publish(t *testing.T, key string, events ...postino.NewEvent) postino.Published {
	t.Helper()
	published, err := s.client.Publish(t.Context(), key, events...)
	if err != nil {
		t.Fatal(err)
	}
	return published
}

func created(subject string) postino.NewEvent {
	return postino.NewEvent{Type: "order.created", Subject: &subject, Data: map[string]any{}}
}

func TestWhoDoesNotPayIsRemindedAfterAnHour(t *testing.T) {
	s := open(t, nil)
	s.publish(t, "", created("ada"), created("bob"))
	s.Advance("30m")
	s.publish(t, "", postino.NewEvent{Type: "order.paid", Subject: postino.To("ada"), Data: nil})
	s.Advance("31m")
	callbacks := s.hook.Wait(1)
	if len(callbacks) != 1 || !strings.Contains(string(callbacks[0].Body), `"subject":"bob"`) {
		t.Fatalf("callbacks: %s, want one to bob", callbacks)
	}
	verifier, err := verify.New(s.secret)
	if err != nil {
		t.Fatal(err)
	}
	if err := verifier.Verify(callbacks[0].Header, callbacks[0].Body); err != nil {
		t.Error(err)
	}
}

func TestAFailedCallbackIsRetried(t *testing.T) {
	s := open(t, func(c postinotest.Callback) int {
		if c.Header.Get("Postino-Attempt") == "1" {
			return 503
		}
		return 204
	})
	s.publish(t, "", created("ada"))
	s.Advance("1h")
	s.Advance("10s")
	s.hook.Wait(2)
	succeeded := postino.Status("succeeded")
	n := 0
	for delivery, err := range s.client.Deliveries(t.Context(), postino.ListDeliveriesParams{Status: &succeeded}) {
		if n++; err != nil || delivery.AttemptCount != 2 {
			t.Errorf("delivery: %+v, %v, want two attempts", delivery, err)
		}
	}
	if n != 1 {
		t.Errorf("%d deliveries, want 1", n)
	}
}

func TestListsAreReadToTheirEnd(t *testing.T) {
	s := open(t, nil)
	events := make([]postino.NewEvent, 1100)
	for n := range events {
		events[n] = postino.NewEvent{Type: "t", Data: n}
	}
	first := s.publish(t, "import-7", events...)
	if again := s.publish(t, "import-7", events...); strings.Join(again.Ids, " ") != strings.Join(first.Ids, " ") {
		t.Error("a repeat with the same key makes other ids")
	}
	s.Advance("1s")
	listed := map[string]bool{}
	for event, err := range s.client.Events(t.Context(), postino.ListEventsParams{Type: postino.To("t"), Limit: postino.To(200)}) {
		if err != nil {
			t.Fatal(err)
		}
		listed[event.Id] = true
	}
	if len(listed) != len(events) {
		t.Errorf("%d events are listed, want %d", len(listed), len(events))
	}
}

func TestARefusalNamesTheField(t *testing.T) {
	_, err := open(t, nil).client.CreateSubscription(t.Context(), postino.SubscriptionInput{Url: postino.To("ftp://a.example")})
	var refused *postino.Error
	if !errors.As(err, &refused) || refused.Status != 422 || refused.Code != "invalid_request" || (*refused.Errors)[0].Field != "url" {
		t.Errorf("a bad url: %v, want 422 invalid_request that names url", err)
	}
}
