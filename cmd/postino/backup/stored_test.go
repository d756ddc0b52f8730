package backup_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/postino/postino/shared/callback/secret"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localqueue"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/webhook"
)

// stored is when everything in the folders of released versions happened.
var stored = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// The secrets of those folders, and their sealing.key.
const (
	sealingKey    = "cG9zdGlubyB0ZXN0IGRhdGEga2V5IDMyIGJ5dGVzISE="
	signingSecret = "whsec_cG9zdGlubydzIG93biB0ZXN0IHNlY3JldCE="
	namedSecret   = "the token of acme"
)

// seals are the secrets, sealed. Sealing is random, so they are made once for
// each folder.
type seals struct{ Signing, Named, Proof []byte }

func newSeals(t *testing.T, sealer *secret.Sealer) (s seals) {
	t.Helper()
	var errs [3]error
	s.Signing, errs[0] = sealer.Seal([]byte(signingSecret), "acme", "shop", "signing")
	s.Named, errs[1] = sealer.Seal([]byte(namedSecret), "acme", "secrets", "token")
	s.Proof, errs[2] = sealer.Proof()
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	return s
}

// store fills a folder with one of each thing, always with the same bytes.
func store(t *testing.T, dir string, sealed seals) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(stored)) // bubbles begin in 2000
		db, err := engine.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		}()
		w := writer{t: t, ctx: t.Context(), store: localstore.In(db), sealed: sealed}
		w.tenant()
		w.subscription()
		w.events()
		w.triggers()
		w.people()
		w.bookkeeping()
		w.messages(db)
		proof := func(tx *engine.Tx) error { tx.Set(append([]byte("p"), sealed.Proof...), nil); return nil }
		w.must(db.Write(w.ctx, engine.Durable, proof))
	})
}

// writer writes what a server would have.
type writer struct {
	t      *testing.T
	ctx    context.Context
	store  *localstore.Store
	sealed seals
}

func (w writer) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w writer) tenant() {
	_, err := w.store.EnsureTenant(w.ctx, "acme")
	w.must(err)
	w.must(w.store.PutKey(w.ctx, webhook.Key{Tenant: "acme", ID: "key_1", Hash: make([]byte, 32), Role: webhook.KeyPublish, Name: "shop", CreatedAt: stored}))
	_, _, err = w.store.PutSecret(w.ctx, webhook.NamedSecret{Tenant: "acme", Name: "token", Sealed: w.sealed.Named, UpdatedAt: stored}, false)
	w.must(err)
	_, err = w.store.PutEventType(w.ctx, webhook.EventType{Tenant: "acme", Type: "order.paid", Description: "paid", Schema: json.RawMessage(`{"type":"object"}`), UpdatedAt: stored})
	w.must(err)
}

// shop is the subscription, whose callbacks wait for its pause to end.
var shop = webhook.SubscriptionRef{Tenant: "acme", ID: "shop"}

func (w writer) subscription() {
	_, err := w.store.SaveSubscription(w.ctx, webhook.Subscription{
		Tenant: "acme", ID: "shop", Name: "Shop", URL: "https://example.com/hooks", Metadata: json.RawMessage(`{"team":"a"}`),
		Types: []string{"order.*"}, Filter: json.RawMessage(`{"data":{"total":[{"numeric":[">",1]}]}}`), State: webhook.Paused, Signing: "v1",
		Retry:   webhook.RetrySpec{Schedule: []string{"5s", "1m"}, Timeout: "15s", Success: []string{"2xx"}},
		Request: &webhook.RequestSpec{Headers: map[string]string{"X-Token": "{{ secrets.token }}"}},
		Secrets: []webhook.SigningSecret{{Scheme: "v1", Sealed: w.sealed.Signing, Created: stored}}, CreatedAt: stored, UpdatedAt: stored,
	}, 0)
	w.must(err)
	w.must(w.store.SaveHealth(w.ctx, webhook.VersionRef{Tenant: "acme", ID: "shop", Version: 1}, webhook.Health{FailingSince: stored, FailedAt: stored}))
}

// event is one that matches the subscription.
func event(id string) webhook.StoredEvent {
	return webhook.StoredEvent{
		Event: webhook.Event{
			Tenant: "acme", ID: id, Source: "/shop", Type: "order.paid", Subject: "ada", Time: stored, AcceptedAt: stored, Nonce: id,
			Data: json.RawMessage(`{"total":7}`), Extensions: json.RawMessage(`{"traceid":"x"}`),
		},
		Plan: webhook.Plan{Entries: []webhook.PlanEntry{{Subscription: "shop", Version: 1}}, Total: 1},
	}
}

func (w writer) events() {
	for _, id := range []string{"waits", "failed"} {
		e := event(id)
		_, _, err := w.store.CreateEvent(w.ctx, e)
		w.must(err)
		d := webhook.Delivery{
			Tenant: "acme", ID: e.DeliveryID(e.Plan.Entries[0]), EventID: id, EventSource: "/shop", Subscription: "shop", Version: 1, CreatedAt: stored,
			Status: webhook.Pending, Waiting: webhook.WaitPaused, WaitingSince: stored,
		}
		var with webhook.Parts
		if id == "failed" {
			d.Status, d.Waiting, d.WaitingSince, d.Attempts, d.Step, d.EndedAt = webhook.Exhausted, "", time.Time{}, 1, 1, stored
			with.Attempt = &webhook.Attempt{Number: 1, StartedAt: stored, StatusCode: 500, DurationMS: 12, Response: &webhook.Response{Headers: map[string]string{"a": "b"}}}
			with.Content = &webhook.Content{Method: "POST", ContentType: "application/json", Body: webhook.Text{Plain: `{"total":7}`}}
			d.Last, d.Digest = with.Attempt, with.Content.Digest()
		} else {
			w.must(w.store.EnterLine(w.ctx, shop, d.ID))
		}
		w.must(w.store.SaveDelivery(w.ctx, d, with))
	}
	key := event("failed").Key()
	_, _, err := w.store.CreateReplay(w.ctx, webhook.Replay{Tenant: "acme", EventKey: key, ID: "rpl_1", At: stored, Plan: webhook.Plan{Total: 0}})
	w.must(err)
	w.must(w.store.PutPlanPage(w.ctx, "acme", key, "page", 0, []webhook.PlanEntry{{Subscription: "shop", Version: 1, Cancels: 1, CancelsOnly: true}}))
}

func (w writer) triggers() {
	ref := webhook.StateRef{Tenant: "acme", Subscription: "shop", Epoch: 1, Key: "key", Part: "COUNT"}
	w.must(w.store.SaveTriggerState(w.ctx, []webhook.StateItem{{StateRef: ref, Data: []byte(`{"n":3}`), Expires: stored.AddDate(1, 0, 0)}}))
}

func (w writer) people() {
	w.must(w.store.SaveProfile(w.ctx, webhook.Profile{Tenant: "acme", Subject: "ada", Attributes: json.RawMessage(`{"plan":"pro"}`), Revision: 1, UpdatedAt: stored}))
	w.must(w.store.PutAttributeRule(w.ctx, webhook.AttributeRule{Tenant: "acme", Name: "orders", Spec: json.RawMessage(`{"types":["order.paid"],"keep":"count"}`), Generation: "1", UpdatedAt: stored}))
	_, err := w.store.PutSegment(w.ctx, webhook.Segment{Tenant: "acme", ID: "pro", Name: "Pro", Filter: json.RawMessage(`{"profile":{"plan":["pro"]}}`), UpdatedAt: stored})
	w.must(err)
}

func (w writer) bookkeeping() {
	w.must(w.store.SaveJob(w.ctx, webhook.Job{Tenant: "acme", ID: "job_01m8p3872c4ca3w20y77mw2dh8", Kind: "recover", Subscription: "shop", Status: "done", CreatedAt: stored, UpdatedAt: stored}))
	w.must(w.store.AddStats(w.ctx, webhook.Stats{Tenant: "acme", Subscription: "shop", Hour: stored, Counts: map[string]int64{"attempts": 3}}))
	_, err := w.store.Lease(w.ctx, shop, "drain", "token", stored, stored.Add(time.Second))
	w.must(err)
	_, err = w.store.AddTally(w.ctx, shop, stored, webhook.Tally{Attempts: 3, Failed: 1})
	w.must(err)
	_, _, err = w.store.Reserve(w.ctx, shop, stored, stored.Add(time.Minute), time.Second)
	w.must(err)
	w.must(w.store.PutDue(w.ctx, webhook.Due{At: stored.Add(time.Hour), Kind: webhook.DueLine, Tenant: "acme", Subscription: "shop"}))
	w.must(w.store.RaiseLowWater(w.ctx, stored.Add(-time.Hour)))
}

// messages are in a queue that no server has, so that none is taken.
func (w writer) messages(db *engine.DB) {
	set, err := localqueue.New(w.ctx, db, localqueue.Config{})
	w.must(err)
	q, err := set.Queue(w.ctx, "test", localqueue.QueueConfig{})
	w.must(err)
	w.must(q.Send(w.ctx, []queue.Message{{Group: "acme/shop", Body: []byte("delayed"), Delay: 10 * time.Minute}, {Group: "acme/shop", Body: []byte("now")}}))
	w.must(set.Close(w.ctx))
}
