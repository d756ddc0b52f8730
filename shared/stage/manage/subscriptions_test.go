package manage_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/webhook"
)

const sub = "/subscriptions"

func drains(sent []message.Task) (ids []string) {
	for _, a := range sent {
		if drain, is := a.(message.Drain); is {
			ids = append(ids, drain.Subscription)
		}
	}
	return ids
}

func TestNewSubscriptionShowsItsDefaults(t *testing.T) {
	w := open(t)
	w.must(t, 201, "PUT", "//v1/tenants/acme", "")
	got := w.must(t, 201, "POST", sub, `{"url":"https://a.example/hook"}`)
	id, _ := got.get(t, "id").(string)
	if len(id) != 30 || !strings.HasPrefix(id, "sub_") || id != strings.ToLower(id) || got.header.Get("Location") != "/v1/tenants/acme/subscriptions/"+id {
		t.Errorf("id %q, Location %q", id, got.header.Get("Location"))
	}
	shown, _ := got.get(t, "secret").(string)
	if _, err := signature.ParseSecret(shown); err != nil {
		t.Errorf("secret %q: %v", shown, err)
	}
	want := `{"id":"` + id + `","name":"","description":"","metadata":{},"url":"https://a.example/hook","types":null,` +
		`"request":{"format":"standard"},"signing":"v1",` +
		`"retry":{"schedule":["5s","5m","30m","2h","5h","10h","14h","20h","24h"],"timeout":"15s","success":["2xx"],"permanent":[]},` +
		`"state":"active","disabled_reason":null,"created_at":"2026-03-01T12:00:00.000Z","updated_at":"2026-03-01T12:00:00.000Z"}`
	shows(t, got, want)
	read := w.must(t, 200, "GET", sub+"/"+id, "")
	shows(t, read, want)
	if cut := strings.TrimSuffix(string(got.body), `,"secret":"`+shown+`"}`) + "}"; cut != string(read.body) {
		t.Errorf("read %s\nwant what create answered, without the secret: %s", read.body, cut)
	}
	if got := w.must(t, 200, "GET", sub+"/"+id+"/secret", ""); string(got.body) != `{"secret":"`+shown+`"}` {
		t.Errorf("secret %s, want %s", got.body, shown)
	}
}

// shows wants an answer with these members; it may have more.
func shows(t *testing.T, got answer, want string) {
	t.Helper()
	var all, wanted map[string]any
	got.into(t, &all)
	answer{body: []byte(want)}.into(t, &wanted)
	for name := range all {
		if _, ok := wanted[name]; !ok {
			delete(all, name)
		}
	}
	if diff := cmp.Diff(wanted, all); diff != "" {
		t.Errorf("%s %s differs (-want +got):\n%s", sub, all["id"], diff)
	}
}

// full names every field of the beginning.
const full = `{"id":"s1","name":"n","description":"d\nd","metadata":{ "a" : [1, "<é"] },"url":"https://a.example/x?y=1","types":["a.b","c.*"],
	"request":{"format":"cloudevents"},"signing":"v1","retry":{"schedule":["1s","7d"],"timeout":"25s","success":["2xx","409"],"permanent":["400","5xx"]},
	"state":"paused","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`

func TestEveryFieldIsKept(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, full)
	want := `{"id":"s1","name":"n","description":"d\nd","metadata":{"a":[1,"<é"]},"url":"https://a.example/x?y=1","types":["a.b","c.*"],` +
		`"request":{"format":"cloudevents"},"signing":"v1","retry":{"schedule":["1s","7d"],"timeout":"25s","success":["2xx","409"],"permanent":["400","5xx"]},` +
		`"state":"paused","disabled_reason":null,"created_at":"2026-03-01T12:00:00.000Z","updated_at":"2026-03-01T12:00:00.000Z"}`
	shows(t, w.must(t, 200, "GET", sub+"/s1", ""), want)
	if got := w.must(t, 200, "GET", sub+"/s1/secret", ""); string(got.body) != `{"secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}` {
		t.Errorf("secret %s", got.body)
	}
	if head := w.head(t, "s1"); head.State != webhook.Paused || !slices.Equal(head.Types, []string{"a.b", "c.*"}) {
		t.Errorf("head %+v", head)
	}
}

func TestChosenIdIsTakenOnce(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, full)
	if got := w.must(t, 409, "POST", sub, full); !slices.Equal(got.fields(t), []string{"id"}) {
		t.Errorf("conflict names %v", got.fields(t))
	}
	w.must(t, 201, "POST", "//v1/tenants/other/subscriptions", full)
}

func TestPutCreatesThenReplaces(t *testing.T) {
	w := open(t)
	created := w.must(t, 201, "PUT", sub+"/s1", `{"url":"https://a.example","name":"one","types":["a"]}`)
	if created.header.Get("Location") == "" || created.get(t, "secret") == nil {
		t.Errorf("creation answered Location %q, %s", created.header.Get("Location"), created.body)
	}
	w.takeSent()
	w.advance(time.Minute)
	replaced := w.must(t, 200, "PUT", sub+"/s1", `{"url":"https://b.example"}`)
	if replaced.get(t, "name") != "" || replaced.get(t, "types") != nil || replaced.get(t, "url") != "https://b.example" || replaced.get(t, "secret") != nil {
		t.Errorf("replacement answered %s", replaced.body)
	}
	if replaced.get(t, "created_at") != created.get(t, "created_at") || replaced.get(t, "updated_at") != "2026-03-01T12:01:00.000Z" {
		t.Errorf("times %v, %v", replaced.get(t, "created_at"), replaced.get(t, "updated_at"))
	}
	secret := w.must(t, 200, "GET", sub+"/s1/secret", "").get(t, "secret")
	if secret != created.get(t, "secret") {
		t.Error("replacing changed the secret")
	}
	w.must(t, 200, "PUT", sub+"/s1", fmt.Sprintf(`{"id":"s1","url":"https://b.example","secret":%q}`, secret))
	for body, field := range map[string]string{
		`{"url":"https://b.example","id":"s2"}`:                                         "id",
		`{"url":"https://b.example","secret":"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}`: "secret",
	} {
		if got := w.must(t, 422, "PUT", sub+"/s1", body); !slices.Equal(got.fields(t), []string{field}) {
			t.Errorf("%s: fault in %v", body, got.fields(t))
		}
	}
	if got := w.must(t, 422, "PUT", sub+"/S.1", `{"url":"https://b.example"}`); !slices.Equal(got.fields(t), []string{"id"}) {
		t.Errorf("bad id: fault in %v", got.fields(t))
	}
}

func TestPatchReplacesGivenFieldsAndNullClears(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, full)
	got := w.must(t, 200, "PATCH", sub+"/s1", `{"name":"m","types":null,"retry":{"timeout":"5s"},"request":null}`)
	for path, want := range map[string]any{"name": "m", "description": "d\nd", "types": nil, "state": "paused"} {
		if got.get(t, path) != want {
			t.Errorf("%s is %v, want %v", path, got.get(t, path), want)
		}
	}
	if got.get(t, "retry", "timeout") != "5s" || len(got.get(t, "retry", "schedule").([]any)) != 9 || got.get(t, "request", "format") != "standard" {
		t.Errorf("retry and request are not replaced whole: %s", got.body)
	}
	if got := w.must(t, 422, "PATCH", sub+"/s1", `{"url":null}`); !slices.Equal(got.fields(t), []string{"url"}) {
		t.Errorf("clearing url: fault in %v", got.fields(t))
	}
	w.must(t, 404, "PATCH", sub+"/s2", `{"name":"m"}`)
	w.must(t, 200, "PATCH", sub+"/s1", `{"state":null}`)
	w.takeSent()
	w.must(t, 200, "PATCH", sub+"/s1", `{"name":"o"}`)
	if sent := w.takeSent(); len(sent) > 0 {
		t.Errorf("a change of name asked for %v", sent)
	}
}

func TestPatchThatChangesNothingMakesNoVersion(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, full)
	before := w.head(t, "s1").Version
	w.advance(time.Hour)
	w.must(t, 200, "PATCH", sub+"/s1", `{"name":"n"}`)
	w.must(t, 200, "POST", sub+"/s1/pause", "")
	if after := w.head(t, "s1").Version; after != before {
		t.Errorf("version %d became %d", before, after)
	}
}

func TestConcurrentPatchesAllApply(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, full)
	var wg sync.WaitGroup
	bodies := []string{`{"name":"x"}`, `{"description":"x"}`, `{"metadata":{"x":1}}`, `{"types":["x"]}`, `{"url":"https://x.example"}`, `{"retry":{"timeout":"9s"}}`}
	for _, body := range bodies {
		wg.Go(func() {
			if got := w.do(t, "PATCH", sub+"/s1", body); got.status != 200 {
				t.Errorf("PATCH %s = %d %s", body, got.status, got.body)
			}
		})
	}
	wg.Wait()
	got := w.must(t, 200, "GET", sub+"/s1", "")
	if got.get(t, "name") != "x" || got.get(t, "description") != "x" || got.get(t, "metadata", "x") != 1.0 ||
		got.get(t, "url") != "https://x.example" || got.get(t, "retry", "timeout") != "9s" {
		t.Errorf("a change was lost: %s", got.body)
	}
}

func TestPauseAndResume(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example"}`)
	w.takeSent()
	for range 2 {
		if got := w.must(t, 200, "POST", sub+"/s1/pause", ""); got.get(t, "state") != "paused" {
			t.Errorf("pause answered %s", got.body)
		}
	}
	if sent := w.takeSent(); len(sent) > 0 || w.head(t, "s1").State != webhook.Paused {
		t.Errorf("pause sent %v, head %+v", sent, w.head(t, "s1"))
	}
	for range 2 {
		if got := w.must(t, 200, "POST", sub+"/s1/resume", "{}"); got.get(t, "state") != "active" {
			t.Errorf("resume answered %s", got.body)
		}
	}
	if got := drains(w.takeSent()); !slices.Equal(got, []string{"s1", "s1"}) || w.head(t, "s1").State != webhook.Active {
		t.Errorf("resuming twice drained %v", got)
	}
	w.must(t, 404, "POST", sub+"/s2/pause", "")
	w.must(t, 404, "POST", sub+"/s2/resume", "")
	w.must(t, 422, "POST", sub+"/s1/resume", `{"rate":5}`)
}

func TestDisabledSubscriptionIsEnabledByResumePatchAndPut(t *testing.T) {
	for _, enable := range [][3]string{
		{"POST", "/resume", ""},
		{"PATCH", "", `{"state":"active"}`},
		{"PATCH", "", `{"state":null}`},
		{"PUT", "", `{"url":"https://b.example"}`},
	} {
		w := open(t)
		w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example"}`)
		disable(t, w)
		w.takeSent()
		got := w.must(t, 200, "PATCH", sub+"/s1", `{"name":"x"}`)
		if got.get(t, "state") != "disabled" || got.get(t, "disabled_reason") != "gone" || len(w.takeSent()) > 0 {
			t.Errorf("a change of name enabled: %s", got.body)
		}
		got = w.must(t, 200, enable[0], sub+"/s1"+enable[1], enable[2])
		if got.get(t, "state") != "active" || got.get(t, "disabled_reason") != nil || len(drains(w.takeSent())) != 1 {
			t.Errorf("%v answered %s", enable, got.body)
		}
	}
}

// disable does what delivery does after a 410.
func disable(t *testing.T, w *world) {
	t.Helper()
	head := w.head(t, "s1")
	subs, err := w.store.Versions(t.Context(), []webhook.VersionRef{{Tenant: "acme", ID: "s1", Version: head.Version}})
	if err != nil {
		t.Fatal(err)
	}
	subs[0].State, subs[0].DisabledReason = webhook.Disabled, "gone"
	if _, err := w.store.SaveSubscription(t.Context(), subs[0], head.Version); err != nil {
		t.Fatal(err)
	}
}

func TestDeletedSubscriptionIsGoneAndAJobRemovesTheRest(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example"}`)
	w.takeSent()
	if got := w.must(t, 204, "DELETE", sub+"/s1", ""); len(got.body) > 0 {
		t.Errorf("204 with a body %s", got.body)
	}
	sent, job := w.takeSent(), w.must(t, 200, "GET", "/jobs", "")
	if len(sent) != 1 {
		t.Fatalf("messages %+v, want one", sent)
	}
	slice, _ := sent[0].(message.JobSlice)
	if slice.Job == "" || !strings.Contains(string(job.body), `{"id":"`+slice.Job+`","kind":"delete_subscription","subscription":"s1"`) {
		t.Errorf("jobs %s, messages %+v", job.body, sent)
	}
	for _, path := range []string{sub + "/s1", sub + "/s1/secret"} {
		w.must(t, 404, "GET", path, "")
	}
	w.must(t, 404, "DELETE", sub+"/s1", "")
	w.must(t, 201, "PUT", sub+"/s1", `{"url":"https://a.example"}`)
}

func TestQueueThatTakesNothingIs503AndCanBeRepeated(t *testing.T) {
	w := open(t)
	w.must(t, 201, "POST", sub, `{"id":"s1","url":"https://a.example"}`)
	w.must(t, 200, "POST", sub+"/s1/pause", "")
	w.refuse = errors.New("secret-endpoint is down")
	got := w.must(t, 503, "POST", sub+"/s1/resume", "")
	if got.header.Get("Retry-After") == "" || bytes.Contains(got.body, []byte("secret-endpoint")) {
		t.Errorf("Retry-After %q, %s", got.header.Get("Retry-After"), got.body)
	}
	w.refuse = nil
	w.must(t, 200, "POST", sub+"/s1/resume", "")
	if got := drains(w.takeSent()); len(got) != 1 {
		t.Errorf("the repeated resume drained %v", got)
	}
}

func TestSubscriptionsArePaged(t *testing.T) {
	w := open(t)
	for i := range 7 {
		w.must(t, 201, "POST", sub, fmt.Sprintf(`{"id":"s%d","url":"https://a.example"}`, i))
	}
	for order, want := range map[string]string{"": "s6 s5 s4 s3 s2 s1 s0", "&order=asc": "s0 s1 s2 s3 s4 s5 s6"} {
		var ids []string
		cursor := ""
		for {
			got := w.must(t, 200, "GET", sub+"?limit=3"+order+cursor, "")
			var page struct {
				Data []struct {
					ID     string `json:"id"`
					Secret any    `json:"secret"`
				}
				Next *string `json:"next_cursor"`
			}
			got.into(t, &page)
			for _, s := range page.Data {
				ids = append(ids, s.ID)
				if s.Secret != nil {
					t.Error("the list shows a secret")
				}
			}
			if page.Next == nil {
				break
			}
			cursor = "&cursor=" + *page.Next
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("order %q lists %s, want %s", order, got, want)
		}
	}
	if got := w.must(t, 200, "GET", "//v1/tenants/empty/subscriptions", ""); string(got.body) != `{"data":[],"next_cursor":null}` {
		t.Errorf("an empty list is %s", got.body)
	}
}

func TestSecretsAreNeverLoggedOrListed(t *testing.T) {
	w := open(t)
	w.Log = slog.New(slog.NewJSONHandler(&w.log, nil))
	const chosen = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	w.must(t, 201, "POST", sub, full)
	bodies := w.must(t, 200, "GET", sub, "").body
	bodies = append(bodies, w.must(t, 200, "PATCH", sub+"/s1", `{"name":"x"}`).body...)
	bodies = append(bodies, w.must(t, 422, "PATCH", sub+"/s1", `{"secret":"whsec_`+strings.Repeat("A", 40)+`"}`).body...)
	bodies = append(bodies, w.must(t, 422, "POST", sub, `{"url":"https://a.example","secret":"`+chosen[:30]+`"}`).body...)
	if bytes.Contains(bodies, []byte("whsec_M")) || bytes.Contains(bodies, []byte("whsec_AA")) {
		t.Errorf("a secret is shown: %s", bodies)
	}
	if strings.Contains(w.log.String(), "whsec_") || strings.Contains(w.log.String(), adminKey) || strings.Contains(w.log.String(), "a.example") {
		t.Errorf("the log tells: %s", w.log.String())
	}
	if lines := strings.Count(w.log.String(), "\n"); lines != 2 {
		t.Errorf("%d lines for two accepted writes: %s", lines, w.log.String())
	}
}
