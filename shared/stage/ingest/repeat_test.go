package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/ingest"
	"github.com/postino/postino/shared/webhook"
)

// remembering returns handlers that share a store, as processes do.
func remembering(t *testing.T, o *outside, n int) (handlers []*ingest.Handler) {
	t.Helper()
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store := localstore.In(db)
	for range n {
		h := o.handler()
		h.Records = store
		handlers = append(handlers, h)
	}
	return handlers
}

func TestOneIdForTwoThingsInAnArrayIsRefused(t *testing.T) {
	for _, other := range []string{
		`{"type":"a","id":"x","data":2}`, `{"type":"b","id":"x","data":1}`, `{"type":"a","id":"x","subject":"u","data":1}`,
		`{"type":"a","id":"x","data":1,"time":"2026-03-01T11:00:00Z"}`,
	} {
		var o outside
		got := post(t, o.handler(), `[{"type":"a","id":"x","data":1},{"type":"a","data":1},`+other+`]`)
		if got.status != 422 || !slices.Equal(got.fields(), []string{"[2].id"}) || !strings.Contains(got.Errors[0].Detail, "[0]") {
			t.Errorf("%s: answer %d %s, want 422 that names [2] and [0]", other, got.status, got.body)
		}
		if len(o.messages) > 0 {
			t.Errorf("%s: something was queued", other)
		}
	}
	var o outside
	got := post(t, o.handler(), `[{"type":"a","id":"x","data":1},{"type":"a","id":"x","source":"/other","data":2},{"type":"a","id":"x","data":1},{"type":"a","id":"y","data":1}]`)
	if got.status != 202 || string(got.body) != `{"ids":["x","x","x","y"],"duplicates":["x"]}` {
		t.Errorf("the same twice: answer %d %s", got.status, got.body)
	}
	if n := len(o.events(t)); n != 3 {
		t.Errorf("%d events queued, want the one that comes twice once", n)
	}
}

func TestAnIdempotencyKeyIsBoundToItsEvents(t *testing.T) {
	var o outside
	hs := remembering(t, &o, 2)
	body := `[{"type":"a","data":{"n":1}},{"type":"a","id":"mine","data":2}]`
	first := post(t, hs[0], body, "Idempotency-Key", "k")
	if first.status != 202 {
		t.Fatalf("answer %d %s", first.status, first.body)
	}
	queued := len(o.messages)
	for _, other := range []string{
		`[{"type":"a","data":{"n":2}},{"type":"a","id":"mine","data":2}]`, `[{"type":"a","data":{"n":1}}]`, `{"type":"a","data":{"n":1}}`,
		`[{"type":"a","data":{"n":1}},{"type":"a","id":"other","data":2}]`, `[{"type":"a","id":"mine","data":2},{"type":"a","data":{"n":1}}]`,
	} {
		for i, h := range hs {
			got := post(t, h, other, "Idempotency-Key", "k")
			if got.status != 422 || !slices.Equal(got.fields(), []string{"Idempotency-Key"}) {
				t.Errorf("process %d, %s: answer %d %s, want 422 for the key", i, other, got.status, got.body)
			}
		}
	}
	if len(o.messages) != queued {
		t.Error("something was queued for a key that is bound to something else")
	}
	for _, same := range []string{body, strings.ReplaceAll(body, `"type":"a","data":{"n":1}`, `"data":{"n":1}, "type":"a"`)} {
		for i, h := range hs {
			if got := post(t, h, same, "Idempotency-Key", "k"); got.status != 202 || !slices.Equal(got.IDs, first.IDs) {
				t.Errorf("process %d, the same again: answer %d %s, want ids %v", i, got.status, got.body, first.IDs)
			}
		}
	}
	if got := do(t, hs[0], "POST", "/v1/tenants/other/events", `{"type":"a","data":9}`, "Idempotency-Key", "k"); got.status != 202 {
		t.Errorf("the key of another tenant: answer %d %s", got.status, got.body)
	}
}

func TestAKeyIsFreeAfterAMonthAndItsEventsHaveOtherIds(t *testing.T) {
	var o outside
	h := remembering(t, &o, 1)[0]
	now := clock
	h.Now = func() time.Time { return now }
	first := post(t, h, `{"type":"a","data":1}`, "Idempotency-Key", "k")
	now = now.AddDate(0, 0, 31)
	second := post(t, h, `{"type":"a","data":2}`, "Idempotency-Key", "k")
	if second.status != 202 || second.ID == first.ID {
		t.Errorf("after a month: answer %d %s, want 202 and another id than %s", second.status, second.body, first.ID)
	}
	if got := post(t, h, `{"type":"a","data":1}`, "Idempotency-Key", "k"); got.status != 422 {
		t.Errorf("then the old events: answer %d %s, want 422", got.status, got.body)
	}
}

func TestRacingRequestsBindAKeyOnce(t *testing.T) {
	var o outside
	hs := remembering(t, &o, 8)
	answers := make(chan answer, len(hs))
	for i, h := range hs {
		go func() { answers <- post(t, h, fmt.Sprintf(`{"type":"a","data":%d}`, i), "Idempotency-Key", "k") }()
	}
	won := 0
	for range hs {
		switch got := <-answers; got.status {
		case 202:
			won++
		case 422:
		default:
			t.Errorf("answer %d %s", got.status, got.body)
		}
	}
	if won != 1 || len(o.events(t)) != 1 {
		t.Errorf("%d requests won and %d events were queued, want one", won, len(o.events(t)))
	}
}

func TestAKeyWhoseEventsWereNotQueuedCanBeRepeated(t *testing.T) {
	var o outside
	h := remembering(t, &o, 1)[0]
	o.refuse = func([]queue.Message) error { return errors.New("full") }
	if got := post(t, h, `{"type":"a","data":1}`, "Idempotency-Key", "k"); got.status != 503 {
		t.Fatalf("answer %d", got.status)
	}
	o.refuse = nil
	if got := post(t, h, `{"type":"a","data":1}`, "Idempotency-Key", "k"); got.status != 202 || strings.Contains(string(got.body), "duplicate") {
		t.Errorf("again: answer %d %s, want 202 and no duplicate", got.status, got.body)
	}
}

func TestARepeatThatIsKnownIsToldOf(t *testing.T) {
	var o outside
	h := remembering(t, &o, 1)[0]
	for _, tt := range []struct{ body, key, want string }{
		{`{"type":"a","id":"1","data":1}`, "", `{"id":"1"}`},
		{`{"type":"a","id":"1","data":1}`, "", `{"id":"1","duplicate":true}`},
		{`{"type":"a","id":"1","data":2}`, "", `{"id":"1","duplicate":true}`},
		{`{"type":"a","id":"1","source":"/s","data":2}`, "", `{"id":"1"}`},
		{`[{"type":"a","id":"2","data":1},{"type":"a","id":"1","data":1}]`, "", `{"ids":["2","1"],"duplicates":["1"]}`},
	} {
		if got := post(t, h, tt.body); got.status != 202 || string(got.body) != tt.want {
			t.Errorf("%s: answer %d %s, want %s", tt.body, got.status, got.body, tt.want)
		}
	}
	if got := do(t, h, "POST", "/v1/tenants/other/events", `{"type":"a","id":"1","data":1}`); !strings.HasPrefix(string(got.body), `{"id":"1",`) || strings.Contains(string(got.body), "duplicate") {
		t.Errorf("another tenant's: %s, want the id and no duplicate", got.body)
	}
	first := post(t, h, `{"type":"a","data":1}`, "Idempotency-Key", "k")
	again := post(t, h, `{"type":"a","data":1}`, "Idempotency-Key", "k")
	if want := `{"id":"` + first.ID + `","duplicate":true}`; string(again.body) != want {
		t.Errorf("a request with a key again: %s, want %s", again.body, want)
	}
}

// deleted is a tenant that was deleted and made anew.
type deleted struct {
	ingest.Records
	at time.Time
}

func (d deleted) TenantState(context.Context, string) (webhook.TenantState, error) {
	return webhook.TenantState{Deletion: webhook.Deletion{Began: d.at, Ended: d.at}}, nil
}

func TestWhatWentWithItsTenantIsNoDuplicate(t *testing.T) {
	var o outside
	h := remembering(t, &o, 1)[0]
	now := clock
	h.Now = func() time.Time { return now }
	post(t, h, `{"type":"a","id":"1","data":1}`)
	h.Records = deleted{h.Records, clock.Add(time.Second)}
	now = now.Add(2 * time.Second)
	for _, want := range []string{`{"id":"1"}`, `{"id":"1","duplicate":true}`} {
		if got := post(t, h, `{"type":"a","id":"1","data":1}`); string(got.body) != want {
			t.Errorf("after the deletion: %s, want %s", got.body, want)
		}
	}
}
