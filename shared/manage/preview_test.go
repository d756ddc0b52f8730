package manage_test

import (
	"net/http"
	"testing"

	"github.com/postino/postino/shared/trigger"
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
