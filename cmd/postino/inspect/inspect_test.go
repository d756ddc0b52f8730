package inspect_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/cmd/postino/inspect"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

var accepted = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// filled stores one of each in a folder, which stays open.
func filled(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	db, err := engine.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	ctx, store := t.Context(), localstore.In(db)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	e := webhook.StoredEvent{Event: webhook.Event{Tenant: "acme", ID: "one", Source: "/a", Type: "order.paid", AcceptedAt: accepted, Data: json.RawMessage(`{"total":7}`)}}
	_, _, err = store.CreateEvent(ctx, e)
	must(err)
	id := webhook.DeliveryID("acme", e.Key(), e.AcceptedAt, "shop", "")
	d := webhook.Delivery{Tenant: "acme", ID: id, EventID: "one", EventSource: "/a", Subscription: "shop", Version: 1, Status: webhook.Exhausted, CreatedAt: accepted}
	must(store.SaveDelivery(ctx, d, webhook.Parts{
		Attempt: &webhook.Attempt{Number: 1, StatusCode: 500}, Content: &webhook.Content{Method: "POST", Body: webhook.Text{Plain: "body of the callback"}},
	}))
	_, err = store.SaveSubscription(ctx, webhook.Subscription{
		Tenant: "acme", ID: "shop", Types: []string{"order.*"}, Auth: &webhook.SealedAuth{Sealed: []byte("planted secret"), Shown: json.RawMessage(`"***"`)},
		Secrets: []webhook.SigningSecret{{Scheme: "v1", Sealed: []byte("planted secret")}},
	}, 0)
	must(err)
	_, _, err = store.PutSecret(ctx, webhook.NamedSecret{Tenant: "acme", Name: "token", Sealed: []byte("planted secret")}, false)
	must(err)
	must(store.PutKey(ctx, webhook.Key{Tenant: "acme", ID: "key_1", Hash: []byte("planted secret")}))
	set, err := localqueue.New(ctx, db, localqueue.Config{})
	must(err)
	q, err := set.Queue(ctx, "retries", localqueue.QueueConfig{})
	must(err)
	must(q.Send(ctx, []queue.Message{{Group: "acme/shop", Body: []byte(`{"try":2}`), Delay: time.Minute}, {Group: "acme/shop", Body: []byte("text")}}))
	return dir
}

func TestInspectPrintsWhatAServerStores(t *testing.T) {
	dir := filled(t)
	for _, tt := range []struct {
		prefix string
		want   []string // in each line
	}{
		{"e/acme", []string{`"total":7`}},
		{"d/acme#", []string{`"exhausted"`}},
		{"dp/", []string{`"status_code":500`, "body of the callback"}},
		{"v/acme#shop", []string{`"order.*"`}},
		{"n", []string{`"b":{"bytes":14}`}},
		{"k#acme/key_1", []string{`"b":{"bytes":14}`}},
		{"queue/retries/", []string{`"body":{"try":2}`, `"body":"text"`}},
		{"nothing", nil},
	} {
		var out bytes.Buffer
		if err := inspect.Run(t.Context(), &out, dir, tt.prefix); err != nil {
			t.Fatal(err)
		}
		lines := strings.SplitAfter(out.String(), "\n")
		lines = lines[:len(lines)-1]
		if len(lines) != len(tt.want) {
			t.Errorf("%s: %d lines, want %d:\n%s", tt.prefix, len(lines), len(tt.want), out.String())
			continue
		}
		for i, line := range lines {
			if !strings.Contains(line, tt.want[i]) || !strings.HasPrefix(line, `{"key":"`+tt.prefix) || !json.Valid([]byte(line)) {
				t.Errorf("%s: line %d is %s, want JSON with %s", tt.prefix, i, line, tt.want[i])
			}
		}
	}
}

func TestInspectShowsNoSecretsAndLeavesNothing(t *testing.T) {
	dir := filled(t)
	before, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := inspect.Run(t.Context(), &out, dir, ""); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\n"); n < 10 {
		t.Errorf("%d lines, want all that is stored", n)
	}
	for _, secret := range []string{"planted secret", "cGxhbnRlZCBzZWNyZXQ"} { // as it is, and in base64
		if strings.Contains(out.String(), secret) {
			t.Errorf("a secret is printed: %s", out.String())
		}
	}
	if after, err := os.ReadDir(dir); len(after) != len(before) || err != nil {
		t.Errorf("%d files are in the folder, %v, want the %d that were there", len(after), err, len(before))
	}
	if err := inspect.Run(t.Context(), &out, t.TempDir(), ""); err == nil {
		t.Error("a folder without data was inspected")
	}
}
