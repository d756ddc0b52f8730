package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/postino/postino/shared/callback/auth"
	"github.com/postino/postino/shared/callback/peer"
	"github.com/postino/postino/shared/callback/signature"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/message"
	"github.com/postino/postino/shared/platform/local/engine"
	"github.com/postino/postino/shared/platform/local/localstore"
	"github.com/postino/postino/shared/queue"
	"github.com/postino/postino/shared/stage/delivery"
	"github.com/postino/postino/shared/webhook"
)

// dying is a store that does not record a delivery at one of its writes.
type dying struct {
	delivery.Store
	id   string
	left int // writes until that one
}

func (s *dying) SaveDelivery(ctx context.Context, d webhook.Delivery, with webhook.Parts) error {
	if d.ID == s.id {
		if s.left--; s.left == 0 {
			return errors.New("not recorded")
		}
	}
	return s.Store.SaveDelivery(ctx, d, with)
}

// renewing is a subscriber and its token endpoint, whose newest token is the
// only good one.
type renewing struct {
	issued int
	posts  []string // by token
}

func (r *renewing) Do(req *http.Request) (*http.Response, error) {
	status, body := http.StatusNoContent, ""
	if req.URL.Path == "/token" {
		r.issued++
		status, body = http.StatusOK, fmt.Sprintf(`{"access_token":"t%d"}`, r.issued)
	} else {
		token := req.Header.Get("Authorization")
		r.posts = append(r.posts, req.Header.Get("Postino-Attempt")+" "+token)
		if token == "Bearer t1" && len(r.posts) > 1 {
			status = http.StatusUnauthorized
		}
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body)), Request: req}, nil
}

// A death between the attempt whose token was refused and the one that makes up
// for it, or before either is recorded, leaves the step to the message.
func TestADeathBesideARefusedTokenCostsNoStep(t *testing.T) {
	for _, tt := range []struct {
		write int // that is lost, of the second delivery
		posts []string
		kept  []string
	}{
		{1, []string{"1 Bearer t1", "1 Bearer t1", "1 Bearer t2"}, []string{"204 "}},
		{2, []string{"1 Bearer t1", "1 Bearer t1", "2 Bearer t2", "2 Bearer t2"}, []string{"401 status", "204 "}},
	} {
		client := &renewing{}
		stage, store, sub := withTokens(t, client)
		ids, bodies := firsts(sub, 2)
		stage.Store = &dying{stage.Store, ids[1], tt.write}
		deliver := func(body []byte) bool {
			return len(stage.Handle(t.Context(), []queue.Message{{ID: "m", Group: "acme/s", Body: message.FirstAttempts{body}.Encode(), Received: 1}})) == 0
		}
		if !deliver(bodies[0]) || deliver(bodies[1]) || !deliver(bodies[1]) {
			t.Errorf("write %d lost: want only the first handling of the second message to fail", tt.write)
		}
		if diff := cmp.Diff(tt.posts, client.posts); diff != "" {
			t.Errorf("write %d lost: posts (-want +got):\n%s", tt.write, diff)
		}
		d, err := store.Delivery(t.Context(), "acme", ids[1])
		if err != nil || d.Status != webhook.Succeeded || d.Step != 0 {
			t.Errorf("write %d lost: %+v, %v, want it succeeded at its first step", tt.write, d, err)
		}
		attempts, err := store.Attempts(t.Context(), "acme", ids[1])
		if err != nil {
			t.Fatal(err)
		}
		if len(attempts) == 0 { // it stands in the delivery alone
			attempts = append(attempts, *d.Last)
		}
		var kept []string
		for _, a := range attempts {
			kept = append(kept, fmt.Sprint(a.StatusCode, " ", a.Error))
		}
		if diff := cmp.Diff(tt.kept, kept); diff != "" {
			t.Errorf("write %d lost: attempts (-want +got):\n%s", tt.write, diff)
		}
	}
}

// withTokens is a stage whose one subscription needs access tokens, and has a
// schedule of one attempt.
func withTokens(t *testing.T, client peer.Doer) (*delivery.Deliverer, *localstore.Store, webhook.Subscription) {
	t.Helper()
	db, err := engine.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	store := localstore.In(db)
	secret, err := signature.Generate(signature.V1)
	if err != nil {
		t.Fatal(err)
	}
	a, faults := auth.Read(strictjson.Value(`{"type":"oauth2","token_url":"https://a.example/token","client_id":"me","client_secret":"x"}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	sub, err := store.SaveSubscription(t.Context(), webhook.Subscription{
		Tenant: "acme", ID: "s", URL: "https://a.example/", State: webhook.Active, Retry: webhook.RetrySpec{Timeout: "15s"},
		Auth: &webhook.SealedAuth{Sealed: a.Encode(), Shown: a.View()}, Secrets: []webhook.SigningSecret{{Scheme: "v1", Sealed: []byte(secret)}},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return &delivery.Deliverer{
		Store: store, Client: client, Class: func(error) webhook.ErrorClass { return webhook.ErrorReset },
		Secrets: open{}, Now: time.Now, Version: "0", Log: slog.New(slog.DiscardHandler),
	}, store, sub
}
