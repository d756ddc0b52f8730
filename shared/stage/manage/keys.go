package manage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/postino/postino/shared/api/apikey"
	"github.com/postino/postino/shared/api/httpapi"
	durations "github.com/postino/postino/shared/callback/retry"
	"github.com/postino/postino/shared/language/strictjson"
	"github.com/postino/postino/shared/webhook"
)

const keysPath = tenantPath + "/keys"

// keys serves the keys of tenants.
type keys struct {
	*Handler
	Store Keys
}

func (h *keys) routes() []httpapi.Route {
	return []httpapi.Route{
		{Method: post, Pattern: keysPath, Roles: admin, Handle: h.post},
		{Method: get, Pattern: keysPath, Roles: admin, Query: httpapi.PageQuery, Handle: h.list},
		{Method: del, Pattern: keysPath + "/{id}", Roles: admin, Handle: h.delete},
	}
}

// Keys keeps what is known of tenants' keys.
type Keys interface {
	// PutKey stores a key under its id.
	PutKey(ctx context.Context, key webhook.Key) error
	// PageKeys lists keys by id, without their hashes.
	PageKeys(ctx context.Context, tenant string, page webhook.Page) (keys []webhook.Key, next string, err error)
	// DeleteKey removes a key, or returns [webhook.ErrNotFound].
	DeleteKey(ctx context.Context, tenant, id string) error
}

// Limits of keys.
const (
	maxKeyName = 128                  // characters
	maxKeyLife = 3650 * durations.Day // ten years
)

// keyView is all that is ever shown of a stored key.
type keyView struct {
	ID        string          `json:"id"`
	Role      webhook.KeyRole `json:"role"`
	Name      string          `json:"name"`
	CreatedAt httpapi.Time    `json:"created_at"`
	ExpiresAt httpapi.Time    `json:"expires_at"`
}

// newKeyView is a key that was made just now: it is shown this once.
type newKeyView struct {
	keyView
	Key string `json:"key"`
}

func viewKey(k webhook.Key) keyView {
	return keyView{k.ID, k.Role, k.Name, httpapi.Time(k.CreatedAt), httpapi.Time(k.ExpiresAt)}
}

// post makes a key and shows it.
func (h *keys) post(r *httpapi.Request) (httpapi.Response, error) {
	if err := r.RefuseReserved(); err != nil {
		return httpapi.Response{}, err
	}
	body, err := r.JSON()
	if err != nil {
		return httpapi.Response{}, err
	}
	wish, err := readKey(body, h.now())
	if err != nil {
		return httpapi.Response{}, err
	}
	key, stored := apikey.New(r.Tenant, wish.Role)
	stored.Name, stored.CreatedAt, stored.ExpiresAt = wish.Name, wish.CreatedAt, wish.ExpiresAt
	if err := h.ensureTenant(r); err != nil {
		return httpapi.Response{}, err
	}
	if err := h.Store.PutKey(r.Context(), stored); err != nil {
		return httpapi.Response{}, fmt.Errorf("store a key: %w", err)
	}
	r.Note(slog.String("key", stored.ID), slog.String("role", string(stored.Role)))
	return httpapi.Response{
		Status: http.StatusCreated,
		Header: http.Header{"Location": {"/v1/tenants/" + r.Tenant + "/keys/" + stored.ID}},
		Body:   newKeyView{viewKey(stored), key.Reveal()},
	}, nil
}

var keyFields = []string{"role", "name", "expires_in"}

// readKey reads {"role",["name","expires_in"]}.
func readKey(body strictjson.Value, now time.Time) (k webhook.Key, err error) {
	var faults httpapi.Faults
	if body.Kind() != strictjson.Object {
		faults.Add("body", "want an object")
		return k, faults.Err()
	}
	k.CreatedAt = now
	for field, v := range body.Members() {
		text, ok := v.Text()
		switch {
		case !slices.Contains(keyFields, field):
			faults.Unknown("", field, keyFields)
		case !ok:
			faults.Add(field, "want a string")
		case field == "role":
			if k.Role = webhook.KeyRole(text); !apikey.ValidRole(k.Role) {
				faults.Add(field, `want "publish", "portal" or "manage"`)
			}
		case field == "name":
			if k.Name = text; utf8.RuneCountInString(text) > maxKeyName || strings.ContainsFunc(text, unicode.IsControl) {
				faults.Add(field, "want at most %d characters, no control characters", maxKeyName)
			}
		default:
			life, err := durations.ParseDuration(text)
			if err != nil || life < time.Second || life > maxKeyLife {
				faults.Add(field, `want a duration from 1s to 3650d, like "90d"`)
			}
			k.ExpiresAt = now.Add(life)
		}
	}
	if k.Role == "" {
		faults.Add("role", `required: "publish", "portal" or "manage"`)
	}
	return k, faults.Err()
}

func (h *keys) list(r *httpapi.Request) (httpapi.Response, error) {
	listing, err := r.Listing()
	if err != nil {
		return httpapi.Response{}, err
	}
	keys, next, err := h.Store.PageKeys(r.Context(), r.Tenant, listing.Page)
	if err != nil {
		return httpapi.Response{}, listing.Refuse(err)
	}
	views := make([]keyView, len(keys))
	for i, k := range keys {
		views[i] = viewKey(k)
	}
	return httpapi.OK(listing.Next(views, next)), nil
}

// delete revokes a key: the next request with it is refused, by another
// process after 5 seconds at the latest.
func (h *keys) delete(r *httpapi.Request) (httpapi.Response, error) {
	id := r.PathValue("id")
	if !apikey.ValidID(id) {
		return httpapi.Response{}, errNoKey
	}
	err := h.Store.DeleteKey(r.Context(), r.Tenant, id)
	if errors.Is(err, webhook.ErrNotFound) {
		return httpapi.Response{}, errNoKey
	}
	r.Note(slog.String("key", id))
	return httpapi.NoContent(), err
}

var errNoKey = httpapi.KeyNotFound.Problem("The key does not exist, or was deleted. GET /keys lists them.")
