package manage_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// events takes what is sent to fan-out.
type events struct {
	t      testing.TB
	sent   []message.Replay
	refuse error
}

func (e *events) Send(_ context.Context, messages []queue.Message) error {
	if e.refuse != nil {
		return e.refuse
	}
	for _, m := range messages {
		r, err := message.DecodeAs[message.Replay](m.Body)
		if err != nil || m.Group != r.Tenant {
			e.t.Errorf("message %q of group %q: %v", m.Body, m.Group, err)
		}
		e.sent = append(e.sent, r)
	}
	return nil
}

func openReplays(t *testing.T) (*world, *events) {
	w, to := open(t), &events{t: t}
	w.Events = to
	publish(t, w, "e1", "a", w.clock)
	return w, to
}

func TestAReplayIsQueuedUnderAnIdOfItsOwn(t *testing.T) {
	w, to := openReplays(t)
	w.must(t, 201, "PUT", "/subscriptions/s", `{"url":"https://a.example"}`)
	seen := map[string]bool{}
	for body, only := range map[string]string{"": "", "{}": "", `{"subscription":null}`: "", `{"subscription":"s"}`: "s"} {
		to.sent = nil
		got := w.must(t, 202, "POST", "/events/e1/replay", body)
		id := got.get(t, "replay").(string)
		if got.get(t, "id") != "e1" || !strings.HasPrefix(id, "rpl_") || seen[id] {
			t.Errorf("answer %s, want event e1 and a replay of its own", got.body)
		}
		seen[id] = true
		want := message.Replay{ID: id, At: w.now(), Tenant: "acme", Source: "/tenants/acme", Event: "e1", Subscription: only}
		if !slices.Equal(to.sent, []message.Replay{want}) {
			t.Errorf("%s sent %+v, want %+v", body, to.sent, want)
		}
	}
}

func TestARepeatedReplayIsTheSame(t *testing.T) {
	w, _ := openReplays(t)
	publish(t, w, "e2", "a", w.clock)
	w.must(t, 201, "PUT", "/subscriptions/s", `{"url":"https://a.example"}`)
	ask := func(event, key, body string) any {
		t.Helper()
		r := newRequest("POST", "/events/"+event+"/replay", body)
		r.Header.Set("Idempotency-Key", key)
		got := w.send(r)
		if got.status != 202 {
			t.Fatalf("replay = %d %s", got.status, got.body)
		}
		return got.get(t, "replay")
	}
	first := ask("e1", "k", "")
	if again := ask("e1", "k", "{}"); again != first {
		t.Errorf("the repeat is %v, want %v", again, first)
	}
	for what, other := range map[string]any{"key": ask("e1", "l", ""), "event": ask("e2", "k", ""), "subscription": ask("e1", "k", `{"subscription":"s"}`)} {
		if other == first {
			t.Errorf("with another %s it is the same replay %v", what, other)
		}
	}
}

func TestReplaysThatCannotBeAreRefused(t *testing.T) {
	w, to := openReplays(t)
	expunged := publish(t, w, "e2", "a", w.clock)
	expunged.ID, expunged.Data, expunged.Expunged = "e3", nil, true
	if _, _, err := w.store.CreateEvent(t.Context(), expunged); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		path, body string
		status     int
		fields     []string
	}{
		{"/events/nothing/replay", "", 404, nil},
		{"/events/e1/replay?source=/other", "", 404, nil},
		{"/events/e3/replay", "", 409, nil},
		{"/events/e1/replay", "{", 400, nil},
		{"/events/e1/replay", "[]", 422, []string{"body"}},
		{"/events/e1/replay", `{"subscription":"none"}`, 422, []string{"subscription"}},
		{"/events/e1/replay", `{"subscription":""}`, 422, []string{"subscription"}},
		{"/events/e1/replay", `{"subscription":5,"colour":1}`, 422, []string{"colour", "subscription"}},
		{"/events/e1/replay?type=a", "", 422, []string{"type"}},
	} {
		got := w.do(t, "POST", tt.path, tt.body)
		if got.status != tt.status || !slices.Equal(got.fields(t), tt.fields) {
			t.Errorf("%s %s = %d %s, want %d with %q", tt.path, tt.body, got.status, got.body, tt.status, tt.fields)
		}
	}
	r := newRequest("POST", "/events/e1/replay", "")
	r.Header.Set("Idempotency-Key", strings.Repeat("k", 257))
	if got := w.send(r); got.status != 422 {
		t.Errorf("a long key = %d, want 422", got.status)
	}
	to.refuse = webhook.ErrBusy
	if got := w.do(t, "POST", "/events/e1/replay", ""); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("a full queue = %d, want 503 with Retry-After", got.status)
	}
	if len(to.sent) > 0 {
		t.Errorf("sent %+v, want nothing", to.sent)
	}
}

func TestADeliveryNamesItsReplayAndWhenThatWasAskedFor(t *testing.T) {
	w := open(t)
	old := publish(t, w, "e1", "a", w.clock, "s")
	sent, asked := owe(t, w, old, "s", webhook.Succeeded), w.clock.Add(2*time.Hour)
	between := owe(t, w, publish(t, w, "e2", "a", w.clock.Add(time.Hour), "s"), "s", webhook.Succeeded)
	again := owe(t, w, old, "s", webhook.Exhausted, func(d *webhook.Delivery) {
		d.Occasion, d.CreatedAt, d.ID = "rpl_1", asked, webhook.DeliveryID("acme", old.Key(), asked, "s", "rpl_1")
	})
	if got := w.must(t, 200, "GET", "/deliveries/"+again.ID, ""); got.get(t, "replay") != "rpl_1" || got.get(t, "created_at") != webhook.FormatTime(asked) {
		t.Errorf("delivery %s, want replay rpl_1 of %v", got.body, asked)
	}
	noon, later := webhook.FormatTime(w.clock.Add(time.Minute)), webhook.FormatTime(w.clock.Add(90*time.Minute))
	for query, want := range map[string][]string{
		"":                                  {again.ID, between.ID, sent.ID},
		"?subscription=s":                   {again.ID, between.ID, sent.ID},
		"?subscription=s&order=asc":         {sent.ID, between.ID, again.ID},
		"?after=" + later:                   {again.ID},
		"?before=" + later:                  {between.ID, sent.ID},
		"?event=e1":                         {sent.ID, again.ID},
		"?event=e1&after=" + noon:           {again.ID},
		"?event=e1&before=" + noon:          {sent.ID},
		"?event=e1&status=exhausted":        {again.ID},
		"?event=e2&after=" + later:          nil,
		"?status=exhausted&before=" + later: nil,
	} {
		if got := w.listed(t, "/deliveries"+query); !slices.Equal(got, want) {
			t.Errorf("GET /deliveries%s = %v, want %v", query, got, want)
		}
	}
}

// listed are the ids of a whole list.
func (w *world) listed(t *testing.T, path string) (ids []string) {
	t.Helper()
	for cursor := ""; ; {
		var page struct {
			Data []struct{ ID string }
			Next string `json:"next_cursor"`
		}
		joint := "?"
		if strings.Contains(path, "?") {
			joint = "&"
		}
		w.must(t, 200, "GET", path+joint+"cursor="+cursor, "").into(t, &page)
		for _, d := range page.Data {
			ids = append(ids, d.ID)
		}
		if cursor = page.Next; cursor == "" {
			return ids
		}
	}
}
