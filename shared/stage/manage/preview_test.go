package manage_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/postino/postino/shared/language/trigger"
	"github.com/postino/postino/shared/webhook"
)

func TestAPreviewShowsTheRealCountAndWhatWouldCome(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example","types":["a"],"trigger":{"every":5,"delay":"1h"},"request":{"body":{"n":"{{ occasion.count }}"}}}`)
	saved, err := w.store.Versions(t.Context(), []webhook.VersionRef{{Tenant: "acme", ID: "s1", Version: 1}})
	if err != nil {
		t.Fatal(err)
	}
	spec, err := trigger.Compile(saved[0])
	if err != nil {
		t.Fatal(err)
	}
	key, err := spec.KeyRef(saved[0], "u1")
	if err != nil {
		t.Fatal(err)
	}
	key.Part = "C"
	if err := w.store.SaveTriggerState(t.Context(), []webhook.StateItem{{StateRef: key, Data: []byte(`{"n":4}`)}}); err != nil {
		t.Fatal(err)
	}
	const event = `{"event":{"type":"a","subject":"u1","time":"2026-03-01T10:00:00Z","data":1}}`
	got := w.must(t, http.StatusOK, "POST", sub+"/s1/preview", event)
	if got.get(t, "matched") != true || got.get(t, "count") != 5.0 || got.get(t, "request", "body") != `{"n":5}` {
		t.Errorf("the fifth previews as %s, want count 5 in the answer and in the body", got.body)
	}
	if due, ok := got.get(t, "due").(string); !ok || due[:16] != "2026-03-01T11:00" {
		t.Errorf("due = %v, want an hour after the event", got.get(t, "due"))
	}
	w.must(t, 200, "PATCH", sub+"/s1", `{"state":"paused"}`)
	if got := w.must(t, http.StatusOK, "POST", sub+"/s1/preview", event); got.get(t, "held") != "paused" {
		t.Errorf("of a paused subscription: %s, want it held", got.body)
	}
	other := w.must(t, http.StatusOK, "POST", sub+"/s1/preview", `{"event":{"type":"a","subject":"u2","data":1}}`)
	if other.get(t, "matched") != false || other.get(t, "count") != 1.0 || other.get(t, "request", "body") != `{"n":1}` {
		t.Errorf("of a key that never occurred: %s, want count 1", other.body)
	}
}

func TestAPreviewNamesTheConditionThatFailed(t *testing.T) {
	w := openWithPortal(t)
	w.set(t, `{"url":"https://a.example/","filter":{"subject":["ada"],"data":{"amount":[{"numeric":[">",100]}]}}}`)
	const ask = `{"event":{"type":"a","subject":"ada","data":{"amount":5}}}`
	want := `filter.data.amount: want [{"numeric":[">",100]}]`
	got := w.must(t, http.StatusOK, "POST", sub+"/s/preview", ask)
	if got.get(t, "reason") != "filter" || got.get(t, "detail") != want+", found 5" {
		t.Errorf("preview = %s, want the reason filter and %s, found 5", got.body, want)
	}
	if got := w.must(t, http.StatusOK, "POST", sub+"/s/preview", `{"event":{"type":"a","subject":"ada","data":1}}`); got.get(t, "detail") != want+", found nothing" {
		t.Errorf("without the field: %s, want found nothing", got.body)
	}
	if got := w.asPortal("POST", sub+"/s/preview", ask); got.get(t, "reason") != "filter" || got.get(t, "detail") != want {
		t.Errorf("for a portal key: %s, want %s without what was found", got.body, want)
	}
}

func TestAPreviewSaysUntilWhenThereIsNoRoom(t *testing.T) {
	for _, tt := range []struct{ trigger, reason string }{
		{`{"key":"subject","once_per":"1h"}`, "once"},
		{`{"key":"subject","cap":{"max":1,"per":"1h"}}`, "cap"},
	} {
		w := openWithPortal(t)
		w.set(t, `{"url":"https://a.example/","trigger":`+tt.trigger+`}`)
		const ask = `{"event":{"type":"a","subject":"ada","data":1}}`
		w.fire(t, w.version(t, "s"), webhook.Event{Tenant: "acme", ID: "e1", Type: "a", Subject: "ada", Data: json.RawMessage("1"), Time: w.now(), AcceptedAt: w.now()})
		got, want := w.must(t, http.StatusOK, "POST", sub+"/s/preview", ask), webhook.FormatTime(w.now().Add(time.Hour))
		if got.get(t, "reason") != tt.reason || got.get(t, "until") != want {
			t.Errorf("preview by %s = %s, want %s until %s", tt.trigger, got.body, tt.reason, want)
		}
	}
}

// What cannot be rendered claims nothing, so whether there is room is not asked.
func TestAPreviewRendersBeforeItAsksForRoom(t *testing.T) {
	w := openWithPortal(t)
	w.set(t, `{"url":"https://a.example/","trigger":{"key":"subject","once":true},"request":{"require":["data.v"]}}`)
	w.fire(t, w.version(t, "s"), webhook.Event{Tenant: "acme", ID: "e1", Type: "a", Subject: "ada", Data: json.RawMessage(`{"v":1}`), Time: w.now(), AcceptedAt: w.now()})
	for data, want := range map[string]string{`{"v":1}`: "once", `{}`: "missing_field"} {
		got := w.must(t, http.StatusOK, "POST", sub+"/s/preview", `{"event":{"type":"a","subject":"ada","data":`+data+`}}`)
		if got.get(t, "reason") != want {
			t.Errorf("preview of data %s = %s, want %s as fan-out decides", data, got.body, want)
		}
	}
}
