package manage_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/webhook"
)

type sentRequest struct {
	Method, URL, Body string
	Headers           map[string]string
}

// sentBy reads the request of a delivery.
func sentBy(t *testing.T, a answer) *sentRequest {
	t.Helper()
	var d struct{ Request *sentRequest }
	a.into(t, &d)
	return d.Request
}

// attempted is the change of a delivery that failed once.
func attempted(d *webhook.Delivery) {
	d.Attempts = 1
	d.Last = &webhook.Attempt{Number: 1, StartedAt: d.CreatedAt.Add(time.Second), StatusCode: 503, Error: webhook.ErrorStatus}
}

func TestADeliveryShowsTheRequestAsSentWithStarsForSecrets(t *testing.T) {
	w := openWithPortal(t)
	w.set(t, operators)
	e := publish(t, w, "e1", "a", w.clock, "s")
	d := owe(t, w, e, "s", webhook.Exhausted, attempted, func(d *webhook.Delivery) { d.Version = w.head(t, "s").Version })
	for who, read := range map[string]answer{"manage": w.must(t, 200, "GET", "/deliveries/"+d.ID, ""), "portal": w.asPortal("GET", "/deliveries/"+d.ID, "")} {
		got := sentBy(t, read)
		if got == nil {
			t.Fatalf("%s: no request in %s", who, read.body)
		}
		if got.Method != "POST" || got.URL != "https://a.example/in/u1?k=***" || got.Body != `{"k":"***","d":{"a":1.10,"b":"<"}}` && !strings.HasPrefix(got.Body, `{"k":"***"`) {
			t.Errorf("%s: the request is %+v", who, got)
		}
		for name, want := range map[string]string{"authorization": "***", "x-key": "***", "webhook-id": d.ID, "webhook-signature": "***", "postino-attempt": "1", "idempotency-key": d.ID} {
			if got.Headers[name] != want {
				t.Errorf("%s: header %s is %q, want %q", who, name, got.Headers[name], want)
			}
		}
		if strings.Contains(string(read.body), "operator's") {
			t.Errorf("%s: the secret is shown: %s", who, read.body)
		}
	}
}

func TestNoRequestIsShownOfWhatIsRemovedOrReadsProfilesForOthers(t *testing.T) {
	w := openWithPortal(t)
	w.must(t, 201, "PUT", sub+"/s", `{"url":"https://a.example/","request":{"body":{"plan":"{{ profile.plan }}"}}}`)
	e := publish(t, w, "e1", "a", w.clock, "s")
	version := func(d *webhook.Delivery) { d.Version = w.head(t, "s").Version }
	d := owe(t, w, e, "s", webhook.Exhausted, attempted, version)
	if got := sentBy(t, w.must(t, 200, "GET", "/deliveries/"+d.ID, "")); got == nil {
		t.Error("manage is shown no request")
	}
	if got := sentBy(t, w.asPortal("GET", "/deliveries/"+d.ID, "")); got != nil {
		t.Errorf("a portal key is shown %+v, which a profile was rendered into", got)
	}
	w.advance(webhook.DefaultRetention.Payload + time.Minute)
	if got := sentBy(t, w.must(t, 200, "GET", "/deliveries/"+d.ID, "")); got != nil {
		t.Errorf("after the retention of the payload: %+v", got)
	}
}

func TestListsOfDeliveriesSayTypeUrlAndTheNewestAttempt(t *testing.T) {
	w := openWithPortal(t)
	w.Store = planned{w.store}
	w.set(t, operators)
	e := publish(t, w, "e1", "order.paid", w.clock, "s", "gone")
	owe(t, w, e, "s", webhook.Exhausted, attempted, func(d *webhook.Delivery) { d.EventType = e.Type })
	for _, path := range []string{"/deliveries?subscription=s", "/deliveries?event=e1"} {
		var list struct {
			Data []struct {
				Subscription, Type string
				URL, Error         *string
				StatusCode         *int `json:"status_code"`
			}
		}
		w.must(t, 200, "GET", path, "").into(t, &list)
		for _, d := range list.Data {
			if d.Type != "order.paid" {
				t.Errorf("%s: the type of %s is %q", path, d.Subscription, d.Type)
			}
			if d.Subscription == "gone" && (d.URL != nil || d.StatusCode != nil || d.Error != nil) {
				t.Errorf("%s: of a subscription that is not there: %+v", path, d)
			}
			if d.Subscription == "s" && (d.URL == nil || *d.URL != "https://a.example/in/{{ subject }}?k={{ secrets.op }}" || d.StatusCode == nil || *d.StatusCode != 503 || *d.Error != "status") {
				t.Errorf("%s: %+v, want the url as it is written, 503 and status", path, d)
			}
		}
	}
}

// Reading the subscriptions of a page fails as a fault of ours.
func TestAListWithoutItsSubscriptionsIsNoList(t *testing.T) {
	w := open(t)
	w.Store = headless{w.store}
	e := publish(t, w, "e1", "a", w.clock, "s")
	owe(t, w, e, "s", webhook.Exhausted)
	w.must(t, 500, "GET", "/deliveries?subscription=s", "")
}

type headless struct{ *localstore.Store }

func (headless) Heads(context.Context, []webhook.SubscriptionRef) ([]webhook.Head, error) {
	return nil, errors.New("no heads")
}
