package storetest

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/postino/postino/shared/webhook"
)

var partCases = map[string]func(*testing.T, Store){
	"AttemptsComeByNumber":               attempts,
	"ContentComesBackByteForByte":        contents,
	"AnswersOfFullSizeComeBack":          fullAnswers,
	"NoDeliveryLacksItsPartsAtAnyMoment": partsBeforeDelivery,
}

func attempts(t *testing.T, store Store) {
	d := owed(event("acme", "e", start), "s", webhook.Pending)
	var want []webhook.Attempt
	same(t, "Attempts of none", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), want)
	for number := 1; number <= 25; number++ {
		d = put(t, store, d, webhook.Parts{Attempt: attempt(number)})
		want = append(want, *attempt(number))
	}
	same(t, "Attempts", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), want)
	again := attempt(3)
	again.StatusCode, again.Response, again.Error = 0, nil, webhook.ErrorTimeout
	want[2] = *again
	d = put(t, store, d, webhook.Parts{Attempt: again})
	same(t, "Attempts after a repeat", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), want)
	other := put(t, store, owed(event("acme", "e2", start), "s", webhook.Pending), webhook.Parts{})
	same(t, "Attempts of another", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", other.ID)), []webhook.Attempt{})
}

func contents(t *testing.T, store Store) {
	inserts := []webhook.Insert{{At: 1, Secret: "a", Encode: "json"}, {At: 1, Secret: "b"}, {At: 7, Secret: "a", Encode: "query"}}
	for i, c := range []webhook.Content{
		{},
		{Method: "POST", ContentType: "application/json; charset=utf-8", Body: webhook.Text{Plain: ` {"a": 1e400}` + "\n", Inserts: inserts}},
		{Method: "PUT", ContentType: "text/plain", Body: webhook.Text{Plain: "\x00\xff\xfe not UTF-8 \u2028<>&"}},
		{Method: "POST", Body: webhook.Text{Plain: string(text(webhook.MaxBodySize)), Inserts: inserts}},
	} {
		d := owed(event("acme", fmt.Sprint("e", i), start), "s", webhook.Pending)
		d = put(t, store, d, webhook.Parts{})
		_, err := store.Content(t.Context(), "acme", d.ID)
		wantError(t, "content of a delivery without", err, webhook.ErrNotFound)
		d = put(t, store, d, webhook.Parts{Content: &c, Attempt: attempt(1)})
		same(t, "Content", must[webhook.Content](t)(store.Content(t.Context(), "acme", d.ID)), c)
		put(t, store, d, webhook.Parts{Attempt: attempt(2)})
		same(t, "Content after another save", must[webhook.Content](t)(store.Content(t.Context(), "acme", d.ID)), c)
		same(t, "Attempts beside it", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), []webhook.Attempt{*attempt(1), *attempt(2)})
	}
}

func fullAnswers(t *testing.T, store Store) {
	a := attempt(1)
	a.Response.Body, a.Detail = strings.Repeat("\x01", 4<<10), strings.Repeat("é", 500)
	for i := range 60 {
		a.Response.Headers[fmt.Sprint("x-", i)] = strings.Repeat("v", 100)
	}
	d := owed(event("acme", "e", start), "s", webhook.Succeeded)
	d.Last = a
	d = put(t, store, d, webhook.Parts{Attempt: a})
	same(t, "Delivery", saved(t, store, d), d)
	same(t, "Attempts", must[[]webhook.Attempt](t)(store.Attempts(t.Context(), "acme", d.ID)), []webhook.Attempt{*a})
}

// partsBeforeDelivery reads a delivery and its parts while they are written.
func partsBeforeDelivery(t *testing.T, store Store) {
	d := owed(event("acme", "e", start), "s", webhook.Pending)
	const n = 40
	id, done := d.ID, make(chan error, 1)
	go func() { done <- watchParts(t, store, id, n) }()
	for number := 1; number <= n; number++ {
		d.Attempts = number
		parts := webhook.Parts{Attempt: attempt(number)}
		if number == 1 {
			parts.Content = &webhook.Content{Method: "POST", Body: webhook.Text{Plain: string(text(50_000))}}
		}
		d = put(t, store, d, parts)
	}
	check(t, <-done)
}

// watchParts reads until the delivery has n attempts.
func watchParts(t *testing.T, store Store, id string, n int) error {
	for read := 0; read < n; {
		got, err := store.Delivery(t.Context(), "acme", id)
		if errors.Is(err, webhook.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		read = got.Attempts
		attempts, err := store.Attempts(t.Context(), "acme", id)
		if err != nil || len(attempts) < read {
			return fmt.Errorf("delivery of %d attempts has %d stored, %v", read, len(attempts), err)
		}
		if _, err := store.Content(t.Context(), "acme", id); err != nil {
			return fmt.Errorf("content of a stored delivery: %w", err)
		}
	}
	return nil
}
