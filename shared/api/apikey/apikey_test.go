package apikey_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/postino/postino/shared/api/apikey"
	"github.com/postino/postino/shared/api/httpapi"
	"github.com/postino/postino/shared/webhook"
)

func newLog(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(w, nil)) }

// newKey reads the answer to the creation of a key.
func newKey(t *testing.T, got *httptest.ResponseRecorder) (key, id string) {
	t.Helper()
	var answer struct{ Key, ID string }
	if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil || got.Code != 201 {
		t.Fatalf("create a key = %d %s", got.Code, got.Body)
	}
	if location := got.Header().Get("Location"); !strings.HasSuffix(location, "/keys/"+answer.ID) || !apikey.ValidID(answer.ID) {
		t.Errorf("key %s at %q", answer.ID, location)
	}
	return answer.Key, answer.ID
}

var form = regexp.MustCompile(`^pk_[a-z2-7]{32}_acme-1_b$`)

func TestKeysAreNewAndKeptAsHashes(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		key, stored := apikey.New("acme-1_b", webhook.KeyManage)
		text := key.Reveal()
		if !form.MatchString(text) || seen[text] || seen[stored.ID] || !apikey.ValidID(stored.ID) {
			t.Fatalf("key of %d characters, id %s: not new or of another form", len(text), stored.ID)
		}
		seen[text], seen[stored.ID] = true, true
		if kept, _ := json.Marshal(stored); strings.Contains(string(kept), text[3:35]) || len(stored.Hash) != 32 {
			t.Fatal("the key itself is kept")
		}
	}
}

// one is a store of one key that counts how often it is asked.
type one struct {
	key   webhook.Key
	err   error
	asked int
}

func (s *one) Key(_ context.Context, tenant, id string) (webhook.Key, error) {
	if s.asked++; s.err != nil {
		return webhook.Key{}, s.err
	}
	if tenant != s.key.Tenant || id != s.key.ID {
		return webhook.Key{}, webhook.ErrNotFound
	}
	return s.key, nil
}

func TestExpiryIsComparedWithOurClock(t *testing.T) {
	key, stored := apikey.New("acme", webhook.KeyPortal)
	end := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	stored.ExpiresAt = end
	for _, tt := range []struct {
		now   time.Time
		known bool
	}{
		{end.Add(-time.Millisecond), true},
		{end, false},
		{end.Add(time.Hour), false},
	} {
		auth := &apikey.Authenticator{Admin: httpapi.NewAdminKey("x"), Store: &one{key: stored}, Now: func() time.Time { return tt.now }}
		p, known, err := auth.Authenticate(t.Context(), "acme", key.Reveal())
		if known != tt.known || err != nil || known && p != (httpapi.Principal{Role: httpapi.Portal, Tenant: "acme"}) {
			t.Errorf("at %v: %+v, %t, %v, want known %t", tt.now, p, known, err, tt.known)
		}
	}
}

func TestOnlyTheVeryKeyIsKnown(t *testing.T) {
	key, stored := apikey.New("acme", webhook.KeyManage)
	text := key.Reveal()
	for _, wrong := range []string{
		"", "pk_", "pk_acme", text[:34], text + "x", strings.ToUpper(text), " " + text, "pk_" + strings.Repeat("a", 32) + "_acme",
		text[:35] + "_", text[:35] + "_Acme", text[:35] + "_acme/..", text[:35] + "-acme", "pk_" + strings.Repeat("!", 32) + "_acme",
	} {
		store := &one{key: stored}
		auth := &apikey.Authenticator{Admin: httpapi.NewAdminKey("x"), Store: store}
		if _, known, err := auth.Authenticate(t.Context(), "acme", wrong); known || err != nil {
			t.Errorf("%q is known: %t, %v", wrong, known, err)
		}
	}
	damaged := stored
	damaged.Hash = append([]byte{stored.Hash[0] ^ 1}, stored.Hash[1:]...)
	strange := stored
	strange.Role = "owner"
	for name, k := range map[string]webhook.Key{"another hash": damaged, "a role that is none": strange} {
		auth := &apikey.Authenticator{Admin: httpapi.NewAdminKey("x"), Store: &one{key: k}}
		if _, known, err := auth.Authenticate(t.Context(), "acme", text); known || err != nil {
			t.Errorf("with %s the key is known: %t, %v", name, known, err)
		}
	}
}

func TestEveryRequestLooksTheKeyUp(t *testing.T) {
	key, stored := apikey.New("acme", webhook.KeyManage)
	store := &one{key: stored}
	auth := &apikey.Authenticator{Admin: httpapi.NewAdminKey("x"), Store: store}
	for range 3 {
		if _, known, _ := auth.Authenticate(t.Context(), "acme", key.Reveal()); !known {
			t.Fatal("the key is not known")
		}
	}
	if store.asked != 3 {
		t.Errorf("looked up %d times for 3 requests", store.asked)
	}
	store.err = webhook.ErrBusy
	if _, known, err := auth.Authenticate(t.Context(), "acme", key.Reveal()); known || !errors.Is(err, webhook.ErrBusy) {
		t.Errorf("while the store is busy: %t, %v, want its error", known, err)
	}
}
